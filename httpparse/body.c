/* body.c - codings and units of a body; see body.h */
#include "body.h"

#include "decode.h"
#include "eventstream.h"
#include "grpc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum framing { PLAIN, AWS, GRPC };

struct body {
	const struct body_ops *ops;
	void *arg;
	size_t max;
	struct decode *dec;
	enum framing framing;
	struct eventstream aws;
	/* gRPC */
	struct grpc grpc;
	unsigned flags;			/* of the message under way */
	bool whole;			/* it is gathered in part, and given at its end */
	struct bytes part;
	struct bytes coding;		/* of compressed messages */
	uint64_t len;
	bool bad, stop;
	/* a body whose headers are not all known: its first bytes tell */
	bool looking;
	unsigned char start[4];
	size_t nstart;
	const char *found;
};

bool
media_is(const char *p, size_t n, const char *type)
{
	const char *stop = memchr(p, ';', n);

	if (stop)
		n = stop - p;
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return strlen(type) == n && !strncasecmp(p, type, n);
}

static bool
media_begins(const char *p, size_t n, const char *prefix)
{
	size_t len = strlen(prefix);

	return n >= len && !strncasecmp(p, prefix, len);
}

/* --- units ------------------------------------------------------------------------ */

static int
give(struct body *b, const void *p, size_t n)
{
	b->len += n;
	b->stop |= n && b->ops->data(b->arg, p, n);
	return b->stop;
}

static int
on_aws(void *arg, const struct eventstream_event *ev)
{
	struct body *b = arg;

	if (give(b, ev->p, ev->n))
		return -1;
	return ev->good ? b->ops->event(b->arg, ev->type ? ev->type : "", ev->typelen) : 0;
}

static void
on_begin(void *arg, unsigned flags, uint32_t len)
{
	struct body *b = arg;

	b->flags = flags;
	b->len = 0;
	b->whole = (flags & ~1u) || ((flags & GRPC_COMPRESSED) && len <= b->max);
	b->part.n = 0;
}

static int
on_data(void *arg, const char *p, size_t n)
{
	struct body *b = arg;

	if (!b->whole)
		return give(b, p, n);
	if (b->part.n + n > b->max)
		return -1;
	return bytes_add(&b->part, p, n);
}

static int
on_inflated(void *arg, const void *p, size_t n)
{
	return give(arg, p, n);
}

static int
keep_inflated(void *arg, const void *p, size_t n)
{
	struct bytes *to = arg;

	return to->n + n > (1 << 20) || bytes_add(to, p, n);
}

/* A message compressed by itself; what cannot be inflated is given as it is. */
static void
part_inflate(struct body *b, decode_sink *sink, void *arg)
{
	bool unknown, none;
	struct decode *d = decode_new(b->coding.p ? b->coding.p : "", b->coding.n, sink, arg,
	    &unknown, &none);

	if (!d) {
		sink(arg, b->part.p, b->part.n);
		return;
	}
	b->bad |= decode_feed(d, b->part.p, b->part.n, false) == DECODE_BAD ||
	    decode_end(d) == DECODE_BAD;
	decode_free(d);
}

static int
on_end(void *arg)
{
	struct body *b = arg;
	struct bytes text = { 0 };

	if (b->flags & ~1u) {
		if (b->flags & GRPC_COMPRESSED)
			part_inflate(b, keep_inflated, &text);
		b->ops->trailer(b->arg, text.n ? text.p : b->part.p ? b->part.p : "",
		    text.n ? text.n : b->part.n);
		bytes_free(&text);
	} else {
		if (b->whole && b->part.n)
			part_inflate(b, on_inflated, b);
		b->ops->message(b->arg, b->len);
	}
	b->part.n = 0;
	return b->stop;
}

static const struct grpc_ops grpc_ops = { .begin = on_begin, .data = on_data, .end = on_end };

/* Decoded bytes. */
static int
on_decoded(void *arg, const void *p, size_t n)
{
	struct body *b = arg;

	switch (b->framing) {
	case AWS:
		return eventstream_feed(&b->aws, p, n, on_aws, b);
	case GRPC:
		return grpc_feed(&b->grpc, p, n, &grpc_ops, b);
	case PLAIN:
		break;
	}
	return give(b, p, n);
}

/* --- setting up --------------------------------------------------------------------- */

static enum framing
framing_of(const struct head *h)
{
	size_t n;
	const char *p = head_find(h, "content-type", &n);

	if (!p)
		return PLAIN;
	if (media_is(p, n, "application/vnd.amazon.eventstream"))
		return AWS;
	/* gRPC-Web's text form is base64 of it all; it stays as it is */
	if ((media_begins(p, n, "application/grpc") &&
	    !media_begins(p, n, "application/grpc-web-text")) ||
	    media_begins(p, n, "application/connect+"))
		return GRPC;
	return PLAIN;
}

/* Content codings, then transfer codings but chunked, as they were applied. */
static int
codings_list(const struct head *h, struct bytes *list)
{
	size_t len;

	if (head_join(h, "content-encoding", list) || head_join(h, "transfer-encoding", list))
		return -1;
	len = list->n;
	if (len >= 7 && !strncasecmp(list->p + len - 7, "chunked", 7))
		len -= 7;
	while (len && (list->p[len - 1] == ' ' || list->p[len - 1] == ','))
		len--;
	list->n = len;
	return 0;
}

struct body *
body_new(const struct head *h, size_t max, const struct body_ops *ops, void *arg, bool *undecoded,
    bool *nomem)
{
	struct body *b = calloc(1, sizeof(*b));
	struct bytes list = { 0 };
	bool unknown = false, none = true, bad = !b || codings_list(h, &list);

	if (!bad) {
		b->ops = ops;
		b->arg = arg;
		b->max = max;
		b->framing = framing_of(h);
		eventstream_init(&b->aws, max);
		if (list.n)
			b->dec = decode_new(list.p, list.n, on_decoded, b, &unknown, &none);
		bad = (!b->dec && !unknown && !none) || head_join(h, "grpc-encoding", &b->coding) ||
		    (!b->coding.n && head_join(h, "connect-content-encoding", &b->coding));
	}
	bytes_free(&list);
	if (!bad)
		b->looking = h->unknown && !b->dec && !unknown && b->framing == PLAIN;
	*undecoded = unknown;
	*nomem |= bad;
	/* units cannot be told apart in what is still encoded */
	if (bad || unknown || (!b->dec && b->framing == PLAIN && !b->looking)) {
		body_free(b);
		return NULL;
	}
	return b;
}

void
body_free(struct body *b)
{
	if (!b)
		return;
	decode_free(b->dec);
	eventstream_free(&b->aws);
	bytes_free(&b->part);
	bytes_free(&b->coding);
	free(b);
}

size_t
body_memory(const struct body *b)
{
	return sizeof(*b) + (b->dec ? decode_memory(b->dec) :
	    0) + b->aws.buf.cap + b->part.cap + b->coding.cap;
}

bool
body_is_coded(const struct body *b)
{
	return b->dec || b->coding.n;
}

bool
body_is_events(const struct body *b)
{
	return b->framing == AWS;
}

bool
body_is_raw(const struct body *b)
{
	return b->dec && decode_is_raw(b->dec);
}

const char *
body_found(const struct body *b)
{
	return b->found;
}

/* gzip and zstd have a mark in front (RFC 1952, RFC 8878). */
static const char *
coding_found(const unsigned char *p, size_t n)
{
	return n >= 3 && !memcmp(p, "\x1f\x8b\x08", 3) ? "gzip" : n == 4 &&
	    !memcmp(p, "\x28\xb5\x2f\xfd", 4) ? "zstd" : NULL;
}

/* The first four bytes are there, or all. */
static enum body_rc
start_settle(struct body *b)
{
	bool unknown, none;

	b->looking = false;
	if ((b->found = coding_found(b->start, b->nstart)) &&
	    !(b->dec = decode_new(b->found, strlen(b->found), on_decoded, b, &unknown, &none)))
		return BODY_NOMEM;
	return body_feed(b, b->start, b->nstart, false);
}

static enum body_rc
coded_feed(struct body *b, const void *p, size_t n, bool flush)
{
	switch (decode_feed(b->dec, p, n, flush)) {
	case DECODE_BAD:
		b->bad = true;
		break;
	case DECODE_NOMEM:
		return BODY_NOMEM;
	default:
		break;
	}
	return b->bad ? BODY_BAD : BODY_OK;
}

enum body_rc
body_feed(struct body *b, const void *bytes, size_t n, bool flush)
{
	const char *p = bytes;

	for (; b->looking && n; p++, n--) {
		b->start[b->nstart++] = *p;
		if (b->nstart == sizeof(b->start) && start_settle(b) == BODY_NOMEM)
			return BODY_NOMEM;
	}
	if (!n)
		return b->bad ? BODY_BAD : BODY_OK;
	if (b->dec)
		return coded_feed(b, p, n, flush);
	on_decoded(b, p, n);
	return b->bad ? BODY_BAD : BODY_OK;
}

const char *
body_end(struct body *b, bool *nomem)
{
	enum decode_rc rc;

	if (b->looking)
		*nomem |= start_settle(b) == BODY_NOMEM;
	rc = b->dec ? decode_end(b->dec) : DECODE_OK;

	*nomem |= rc == DECODE_NOMEM;
	if (b->framing == AWS) {
		bool cut = b->aws.buf.n || b->aws.broken;

		eventstream_end(&b->aws, on_aws, b);
		if (cut && rc == DECODE_OK)
			return "malformed";
	}
	if (b->framing == GRPC && grpc_is_cut(&b->grpc)) {
		if (b->whole && b->part.n && !(b->flags & ~1u))
			give(b, b->part.p, b->part.n);
		if (rc == DECODE_OK && !b->stop)
			return "malformed";
	}
	return b->bad || rc == DECODE_BAD || rc == DECODE_CUT ? "encoding" : NULL;
}
