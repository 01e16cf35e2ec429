/* frames.c - see frames.h */
#include "frames.h"

#include <string.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
    CONTINUATION };
enum { HEAD = 9, PREFACE = 24, FRAME_MAX = 1 << 20, END_STREAM = 1 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static uint32_t
length(const unsigned char *h)
{
	return (uint32_t)h[0] << 16 | h[1] << 8 | h[2];
}

static uint32_t
stream(const unsigned char *h)
{
	return ((uint32_t)h[5] << 24 | h[6] << 16 | h[7] << 8 | h[8]) & 0x7fffffff;
}

/* Could these nine bytes be a frame's header? */
static bool
plausible(const unsigned char *h)
{
	uint32_t n = length(h);

	if (n > FRAME_MAX || h[3] > CONTINUATION || h[5] & 0x80)
		return false;
	switch (h[3]) {
	case SETTINGS: return !stream(h) && n % 6 == 0;
	case PING: return !stream(h) && n == 8;
	case GOAWAY: return !stream(h) && n >= 8;
	case WINDOW_UPDATE: return n == 4;
	case RST_STREAM: return stream(h) && n == 4;
	case PRIORITY: return stream(h) && n == 5;
	default: return stream(h);
	}
}

bool
frames_begin(struct frames *f, const void *p, size_t n, bool start)
{
	const unsigned char *s = p;

	*f = (struct frames){ .preface = PREFACE };
	if (start && !memcmp(s, preface, n < PREFACE ? n : PREFACE))
		f->preface = 0;
	else if (n < HEAD ? !start || s[0] || (n > 3 && s[3] != SETTINGS) :
	    !plausible(s) || (start && s[3] != SETTINGS))
		return false;	/* less than a frame's header tells later */
	return f->on = true;
}

static struct frames_run
off(struct frames *f, size_t n)
{
	f->on = false;
	return (struct frames_run){ .kind = FRAMES_NONE, .n = n };
}

struct frames_run
frames_next(struct frames *f, const void *p, size_t n)
{
	struct frames_run r = { .kind = FRAMES_FRAME };
	uint32_t all;

	if (f->preface < PREFACE) {
		r.n = n < PREFACE - f->preface ? n : PREFACE - f->preface;
		if (memcmp(p, preface + f->preface, r.n))
			return off(f, n);
		f->preface += r.n;
		return r;
	}
	if (f->nhead < HEAD) {
		r.n = n < HEAD - f->nhead ? n : HEAD - f->nhead;
		memcpy(f->head + f->nhead, p, r.n);
		if ((f->nhead += r.n) < HEAD)
			return r;
		if (!plausible(f->head))
			return off(f, n);
		if (!(f->left = length(f->head)))
			f->nhead = 0;
		return r;
	}
	all = length(f->head);
	r.stream = stream(f->head);
	r.first = f->left == all;
	r.n = n < f->left ? n : f->left;
	r.last = !(f->left -= r.n);
	if (r.last)
		f->nhead = 0;
	switch (f->head[3]) {
	case HEADERS: case PUSH_PROMISE: case CONTINUATION:
		r.kind = FRAMES_BLOCK;
		break;
	case DATA:
		r.kind = FRAMES_DATA;
		r.end = r.last && f->head[4] & END_STREAM;
		break;
	default:
		r.kind = FRAMES_OTHER;
	}
	return r;
}
