/* http1.c - HTTP/1.x messages out of a byte stream; see http1.h */
#include "http1.h"

#include "h2.h"

#include <string.h>
#include <strings.h>

enum {
	STRICT_MAX = 16 << 10,	/* start line and first field, where a start is not expected */
	WAIT_MAX = 64 << 10,	/* bytes pending behind a request to switch protocols */
	PEND_KEEP = 4 << 10,
	METHOD_MAX = 32,	/* bytes of a method's name */
	BAD_LINES = 16,		/* of one header, that llhttp alone finds bad */
};

enum found { NO, MAYBE, YES };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* --- where a message starts --------------------------------------------------- */

/* Matches a literal at *i. NO, MAYBE (the bytes end first) or YES, *i behind it. */
static enum found
take_text(const char *p, size_t n, size_t *i, const char *text)
{
	size_t len = strlen(text), have = n - *i < len ? n - *i : len;

	if (memcmp(p + *i, text, have))
		return NO;
	*i += have;
	return have == len ? YES : MAYBE;
}

/* A line end, LF or CRLF. */
static enum found
take_eol(const char *p, size_t n, size_t *i)
{
	if (*i < n && p[*i] == '\r')
		++*i;
	if (*i == n)
		return MAYBE;
	return p[(*i)++] == '\n' ? YES : NO;
}

#define NAME(num, name, string) #string " ",
static const char *const methods[] = { HTTP_METHOD_MAP(NAME) };	/* those of llhttp */
#undef NAME

/* One of llhttp's methods, or QUERY; elsewhere than where a message is expected
 * nothing else is taken for one. */
static enum found
take_known_method(const char *p, size_t n, size_t *i)
{
	size_t at = *i;
	enum found best = take_text(p, n, &at, "QUERY ");

	if (best == YES)
		*i = at;
	for (size_t k = 0; k < sizeof(methods) / sizeof(*methods) && best != YES; k++) {
		enum found f;

		at = *i;
		f = take_text(p, n, &at, methods[k]);
		if (f == YES)
			*i = at;
		if (f != NO)
			best = f;
	}
	return best;
}

/* Any method, RFC 9110 9.1: capital letters, in practice. */
static enum found
take_method(const char *p, size_t n, size_t *i, bool strict)
{
	size_t from = *i;

	if (strict)
		return take_known_method(p, n, i);
	while (*i < n && *i - from < METHOD_MAX && ((p[*i] >= 'A' && p[*i] <= 'Z') ||
	    (*i > from && (p[*i] == '-' || p[*i] == '_'))))
		++*i;
	if (*i == n)
		return MAYBE;
	return *i > from && p[(*i)++] == ' ' ? YES : NO;
}

/* HTTP/1.x and what has to follow. */
static enum found
take_version(const char *p, size_t n, size_t *i)
{
	enum found f = take_text(p, n, i, "HTTP/1.");

	if (f != YES)
		return f;
	if (*i == n)
		return MAYBE;
	return p[*i] == '0' || p[*i] == '1' ? (++*i, YES) : NO;
}

static enum found
request_line(const char *p, size_t n, size_t *i, bool strict)
{
	bool connect = n >= 8 && !memcmp(p, "CONNECT ", 8);
	enum found f = take_method(p, n, i, strict);
	size_t from = *i;

	if (f != YES)
		return f;
	if (*i < n && strict && !connect && p[*i] != '/' && p[*i] != '*' && p[*i] != 'h')
		return NO;
	while (*i < n && (unsigned char)p[*i] > ' ' && p[*i] != 0x7f)
		++*i;
	if (*i == n)
		return MAYBE;
	if (*i == from || p[(*i)++] != ' ')
		return NO;
	f = take_version(p, n, i);
	return f == YES ? take_eol(p, n, i) : f;
}

static enum found
status_line(const char *p, size_t n, size_t *i)
{
	enum found f = take_version(p, n, i);

	if (f != YES)
		return f;
	if (*i == n)
		return MAYBE;
	if (p[(*i)++] != ' ')
		return NO;
	for (int k = 0; k < 3; k++, ++*i) {
		if (*i == n)
			return MAYBE;
		if (p[*i] < (k ? '0' : '1') || p[*i] > (k ? '9' : '5'))
			return NO;
	}
	if (*i < n && p[*i] == ' ')
		while (*i < n && ((unsigned char)p[*i] >= ' ' || p[*i] == '\t') && p[*i] != 0x7f)
			++*i;
	return take_eol(p, n, i);
}

/* "name: value" and its line end; none: an empty line will do too. */
static enum found
field_line(const char *p, size_t n, size_t *i, bool none)
{
	size_t from = *i;

	if (none && *i < n && (p[*i] == '\r' || p[*i] == '\n'))
		return take_eol(p, n, i);
	while (*i < n && head_is_token(p[*i]))
		++*i;
	if (*i == n)
		return MAYBE;
	if (*i == from || p[*i] != ':')
		return NO;
	while (*i < n && (p[*i] == '\t' || (unsigned char)p[*i] >= ' ') && p[*i] != 0x7f)
		++*i;
	return take_eol(p, n, i);
}

/* Does a message start at p? Where one is expected its start line is enough;
 * elsewhere (strict) a field has to follow, for text about HTTP is not HTTP. */
static enum found
start_at(const char *p, size_t n, enum http1_role role, bool strict)
{
	enum found f = NO;
	size_t i = 0;
	bool response = *p == 'H';

	if (strict && n > STRICT_MAX)
		n = STRICT_MAX;
	if (response && role != HTTP1_REQUEST)
		f = status_line(p, n, &i);
	/* HEAD begins as HTTP does */
	if (f == NO && role != HTTP1_RESPONSE) {
		response = false;
		i = 0;
		f = request_line(p, n, &i, strict);
	}
	if (f == YES && strict)
		f = field_line(p, n, &i, response);
	return f == MAYBE && strict && n == STRICT_MAX ? NO : f;
}

/* Is this start of a stream HTTP/2's? The client's preface (RFC 9113 3.4), or
 * what can be a frame. 1 yes, 0 no, -1 not enough bytes. */
static int
is_h2(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t len = sizeof(preface) - 1;

	if (!n)
		return -1;
	if (*p == 'P')
		return memcmp(p, preface, n < len ? n : len) ? 0 : n < len ? -1 : 1;
	if (*p)
		return 0;	/* frames of 64 KiB and more are not the first */
	return n < 9 ? -1 : h2_frame_plausible(p, 0);
}

/* The offset of the byte behind the empty line that ends a header; 0: not there.
 * Looks from *i on, and leaves there how far it came. */
static size_t
head_length(const char *p, size_t n, size_t *i)
{
	const char *nl;

	for (; *i < n; ++*i) {
		if (!(nl = memchr(p + *i, '\n', n - *i))) {
			*i = n;
			return 0;
		}
		*i = nl - p;
		if (*i + 1 < n && nl[1] == '\n')
			return *i + 2;
		if (*i + 2 < n && nl[1] == '\r' && nl[2] == '\n')
			return *i + 3;
		if (*i + 1 == n || (*i + 2 == n && nl[1] == '\r'))
			return 0;	/* the next bytes may end it */
	}
	return 0;
}

/* --- llhttp's callbacks ---------------------------------------------------------- */

static int
on_url(llhttp_t *p, const char *at, size_t n)
{
	struct http1 *h = p->data;

	return head_text(&h->head, &h->head.target, at, n);
}

static int
on_status(llhttp_t *p, const char *at, size_t n)
{
	struct http1 *h = p->data;

	return head_text(&h->head, &h->head.reason, at, n);
}

static int
on_field(llhttp_t *p, const char *at, size_t n)
{
	struct http1 *h = p->data;

	if (!h->in_field && h->head.nfields == HEAD_FIELDS)
		h->head.truncated = true;
	else if (!h->in_field && head_field(&h->head))
		return -1;
	h->in_field = true;
	return h->head.truncated ? 0 : head_name(&h->head, at, n);
}

static int
on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http1 *h = p->data;

	return h->head.truncated ? 0 : head_value(&h->head, at, n);
}

static int
on_value_complete(llhttp_t *p)
{
	struct http1 *h = p->data;

	if (!h->head.truncated)
		head_value_end(&h->head);
	h->in_field = false;
	return 0;
}

/* What llhttp knows of the start line goes into the head. */
static void
head_fill(struct http1 *h)
{
	h->head.response = h->parser.type == HTTP_RESPONSE;
	h->head.major = h->parser.http_major;
	h->head.minor = h->parser.http_minor;
	h->head.status = h->head.response ? h->parser.status_code : 0;
	h->head.method = NULL;
	if (!h->head.response && !h->head.method_text.n)
		h->head.method = llhttp_method_name(h->parser.method);
}

static int
on_headers(llhttp_t *p)
{
	struct http1 *h = p->data;
	bool none;

	head_fill(h);
	h->head.in_trailers = true;
	h->open = true;
	none = h->ops->head(h->arg, h, h->pos);
	/* RFC 9112 6.3: llhttp leaves 204 and 304 with a Content-Length to us */
	if (h->head.response &&
	    (h->head.status / 100 == 1 || h->head.status == 204 || h->head.status == 304))
		none = true;
	h->counted = !none && (p->flags & F_CONTENT_LENGTH) &&
	    !(p->flags & (F_CHUNKED | F_TRANSFER_ENCODING));
	h->left = h->counted ? p->content_length : 0;
	h->in_size = !none && (p->flags & F_CHUNKED);
	return none;
}

static int
on_chunk(llhttp_t *p)
{
	struct http1 *h = p->data;

	h->counted = true;
	h->left = p->content_length;
	h->last_chunk = !h->left;
	/* trailers are read when all are there, as headers are */
	h->in_trailers = h->last_chunk;
	return h->last_chunk ? HPE_PAUSED : 0;
}

/* Back to us between two chunks: llhttp 8.1 takes no quoted extensions. */
static int
on_chunk_complete(llhttp_t *p)
{
	struct http1 *h = p->data;

	h->counted = false;
	if (h->last_chunk)
		return 0;
	h->in_size = true;
	h->in_extension = h->digits = false;
	return HPE_PAUSED;
}

static int
on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http1 *h = p->data;

	if (h->counted)
		h->left -= n;
	if (!h->muted)
		h->ops->body(h->arg, h, at, n);
	else if (!h->filling)
		h->behind += n;
	return 0;
}

static int
on_done(llhttp_t *p)
{
	struct http1 *h = p->data;

	h->done = true;
	return HPE_PAUSED;	/* what follows is for us to look at first */
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_status = on_status,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_headers,
	.on_chunk_header = on_chunk,
	.on_chunk_complete = on_chunk_complete,
	.on_body = on_body,
	.on_message_complete = on_done,
};

/* --- states -------------------------------------------------------------------------- */

void
http1_init(struct http1 *h, const struct http1_ops *ops, void *arg, size_t max_head)
{
	*h = (struct http1){ .ops = ops, .arg = arg, .head.max = max_head };
}

void
http1_free(struct http1 *h)
{
	head_free(&h->head);
	bytes_free(&h->pend);
	bytes_free(&h->clean);
}

size_t
http1_memory(const struct http1 *h)
{
	return h->pend.cap + h->clean.cap + head_memory(&h->head);
}

static void
decide(struct http1 *h, size_t n, bool ours)
{
	if (!n)
		return;
	h->pos += n;
	h->ops->decided(h->arg, h, h->pos, ours);
}

static void
seek(struct http1 *h, bool dirty)
{
	h->state = HTTP1_SEEK;
	h->dirty = dirty;
	h->lost |= dirty;
}

static void
message_end(struct http1 *h, const char *why)
{
	seek(h, why && !h->done);
	h->open = false;
	h->muted = false;
	h->why = NULL;
	h->ops->end(h->arg, h, why);
}

static void
parser_begin(struct http1 *h, const char *p)
{
	bool response = h->role == HTTP1_RESPONSE ||
	    (h->role == HTTP1_ANY && !memcmp(p, "HTTP", 4));

	llhttp_init(&h->parser, response ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
	h->parser.data = h;
	/* we watch what two others agreed on: nothing to be strict about */
	llhttp_set_lenient_headers(&h->parser, 1);
	llhttp_set_lenient_chunked_length(&h->parser, 1);
	llhttp_set_lenient_keep_alive(&h->parser, 1);
	llhttp_set_lenient_transfer_encoding(&h->parser, 1);
	head_reset(&h->head);
	h->in_field = h->done = h->muted = h->counted = h->open = h->unasked = h->misframed = false;
	h->in_size = h->in_extension = h->digits = h->last_chunk = h->in_trailers = false;
	h->why = NULL;
	h->left = h->behind = 0;
}

/* What began as a message and is none: it may begin in any byte behind. */
static size_t
head_refuse(struct http1 *h, const char *odd)
{
	h->odd = odd;
	h->open = false;
	decide(h, 1, false);
	seek(h, true);
	return 1;
}

/* --- the lines of a header ------------------------------------------------------------ */

/* llhttp refuses a message for one bad line. It is shown the header without those,
 * which are counted, and what can be read of the others is put right. Their text is not
 * emitted: what it is called is what would say that it is a credential. */

struct text_line { const char *p; size_t n; };	/* without its line end */

static bool
line_next(const char **p, const char *end, struct text_line *l)
{
	const char *nl = *p < end ? memchr(*p, '\n', end - *p) : NULL;

	if (!nl)
		return false;
	*l = (struct text_line){ *p, nl - *p };
	if (l->n && l->p[l->n - 1] == '\r')
		l->n--;
	*p = nl + 1;
	return true;
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t';
}

/* A method that llhttp does not know is kept here, and shown to it as POST, which has
 * no rules of its own either. */
static bool
method_take(struct http1 *h, struct text_line l)
{
	const char *sp = memchr(l.p, ' ', l.n);
	size_t n = sp ? sp + 1 - l.p : 0;
	bool known = !n || h->parser.type == HTTP_RESPONSE;

	for (size_t k = 0; k < sizeof(methods) / sizeof(*methods) && !known; k++)
		known = strlen(methods[k]) == n && !memcmp(l.p, methods[k], n);
	return known || !head_text(&h->head, &h->head.method_text, l.p, n - 1);
}

static bool
start_copy(struct http1 *h, struct text_line l)
{
	if (memchr(l.p, '\r', l.n) || !method_take(h, l))
		return false;
	if (h->head.method_text.n) {
		if (bytes_add(&h->clean, "POST", 4))
			return false;
		l.p += h->head.method_text.n;
		l.n -= h->head.method_text.n;
	}
	return !bytes_add(&h->clean, l.p, l.n) && !bytes_add(&h->clean, "\r\n", 2);
}

/* A line that goes on with the field before it, RFC 9112 5.2; CR within a line is
 * a blank, 2.2. */
static bool
field_copy(struct http1 *h, const char *p, size_t n, bool goes_on)
{
	size_t from;

	if (goes_on)
		h->clean.n -= 2;	/* the line end before it */
	from = h->clean.n;
	if (bytes_add(&h->clean, p, n) || bytes_add(&h->clean, "\r\n", 2))
		return false;
	for (char *c = h->clean.p + from; (c = memchr(c, '\r', h->clean.p + from + n - c)); )
		*c = ' ';
	return true;
}

static bool
line_bad(struct http1 *h, size_t n)
{
	h->head.bad_lines++;
	h->head.bad_bytes += n;
	return true;
}

/* One line behind the start line. *field: there is one that it may go on with. */
static bool
line_copy(struct http1 *h, struct text_line l, bool *field)
{
	const char *colon = memchr(l.p, ':', l.n), *end = colon;

	if (!l.n)
		return !bytes_add(&h->clean, "\r\n", 2);
	if (is_blank(*l.p) || *l.p == '\r') {
		if (*field)
			return field_copy(h, l.p, l.n, true);
		return line_bad(h, l.n);
	}
	while (end && end > l.p && is_blank(end[-1]))
		end--;
	*field = end && end > l.p;
	for (const char *p = l.p; *field && p < end; p++)
		*field = head_is_token(*p);
	if (!*field)
		return line_bad(h, l.n);
	if (end == colon)
		return field_copy(h, l.p, l.n, false);
	return !bytes_add(&h->clean, l.p, end - l.p) &&
	    field_copy(h, colon, l.p + l.n - colon, false);
}

/* Copies whole lines for llhttp. */
static bool
head_copy(struct http1 *h, const char *p, size_t n)
{
	const char *end = p + n;
	struct text_line l;
	bool field = false, good;

	h->clean.n = 0;
	good = line_next(&p, end, &l) && start_copy(h, l);
	while (good && line_next(&p, end, &l))
		good = line_copy(h, l, &field);
	return good;
}

/* Does the line say how long the body is? The same length a second time does not. */
static bool
is_framing(const struct http1 *h, const char *p, size_t n)
{
	size_t len;
	const char *v = head_find(&h->head, "content-length", &len);

	if (n >= 18 && !strncasecmp(p, "transfer-encoding:", 18))
		return true;
	if (n < 15 || strncasecmp(p, "content-length:", 15))
		return false;
	for (p += 15, n -= 15; n && is_blank(*p); p++)
		n--;
	while (n && is_blank(p[n - 1]))
		n--;
	return !v || len != n || memcmp(v, p, n);
}

/* Takes the line that llhttp found bad out of the copy; false: it is the start line. */
static bool
line_drop(struct http1 *h)
{
	char *text = h->clean.p, *end = text + h->clean.n, *nl;
	const char *error = llhttp_get_error_pos(&h->parser);
	size_t at = error && error >= text && error <= end ? error - text : 0;

	if (at && text[at - 1] == '\n')
		at--;		/* it was seen with the byte behind its line */
	while (at && text[at - 1] != '\n')
		at--;
	if (!at || !(nl = memchr(text + at, '\n', end - text - at)))
		return false;
	h->misframed |= is_framing(h, text + at, nl - text - at - 1);
	line_bad(h, nl - text - at - 1);
	memmove(text + at, nl + 1, end - (nl + 1));
	h->clean.n -= nl + 1 - (text + at);
	return true;
}

/* From the beginning again, but for what is known to be bad. */
static bool
parse_again(struct http1 *h, const char *p, size_t n)
{
	size_t lines = h->head.bad_lines, bytes = h->head.bad_bytes;
	bool misframed = h->misframed;

	parser_begin(h, p);
	h->head.bad_lines = lines;
	h->head.bad_bytes = bytes;
	h->misframed = misframed;
	return method_take(h, (struct text_line){ p, n });
}

/* llhttp reads whole lines of a header, less those that are bad. HPE_USER: it is none
 * that could be read. */
static llhttp_errno_t
head_parse(struct http1 *h, const char *p, size_t n)
{
	llhttp_errno_t r;

	parser_begin(h, p);
	if (!head_copy(h, p, n))
		return HPE_USER;
	for (int i = 0; (r = llhttp_execute(&h->parser, h->clean.p, h->clean.n)) != HPE_OK &&
	    !h->open; i++)
		if (i == BAD_LINES || !line_drop(h) || !parse_again(h, p, n))
			return HPE_USER;
	return r;
}

/* The header p[0..n) is whole: llhttp reads it. Returns bytes decided. */
static size_t
head_read(struct http1 *h, const char *p, size_t n)
{
	llhttp_errno_t r = head_parse(h, p, n);

	if (!h->open)
		return head_refuse(h, "bad_header");
	h->state = HTTP1_BODY;
	h->lost = false;
	decide(h, n, true);
	if (h->misframed)
		h->done = false;	/* where its body ends is not known */
	if (h->done)
		message_end(h, NULL);
	else if (r != HPE_OK || h->misframed)
		message_end(h, "malformed");
	return n;
}

/* What is known of a header that is not complete: its whole lines. */
static bool
lines_read(struct http1 *h)
{
	const char *nl = h->pend.n ? memrchr(h->pend.p, '\n', h->pend.n) : NULL;

	if (!nl || head_parse(h, h->pend.p, nl + 1 - h->pend.p) != HPE_OK || !h->parser.http_major)
		return false;
	if (h->in_field && !h->head.truncated)
		head_value_end(&h->head);	/* llhttp waits to see whether it is folded */
	head_fill(h);
	return true;
}

bool
http1_peek(struct http1 *h)
{
	return h->state == HTTP1_HEAD && lines_read(h);
}

/* Only a part of a header came: what is known of it is emitted. */
static void
head_partial(struct http1 *h, const char *why)
{
	if (!lines_read(h)) {
		decide(h, h->pend.n, false);
		return;
	}
	h->open = true;
	h->ops->head(h->arg, h, h->pos);
	h->lost = false;
	decide(h, h->pend.n, true);
	message_end(h, why);
}

/* Skips to where a message may start, or to the end. */
static size_t
seek_run(struct http1 *h, const char *p, size_t n)
{
	size_t k = 0;

	while (k < n) {
		enum found f;
		int h2;

		if (!h->dirty && (p[k] == '\r' || p[k] == '\n')) {
			decide(h, ++k, true);	/* RFC 9112 2.2: empty lines between */
			return k;
		}
		if (k == 0 && h->pos == h->first && (h2 = is_h2(p, n))) {
			f = MAYBE;
			if (h2 > 0) {
				decide(h, k, false);
				h->h2 = true;
				h->state = HTTP1_OTHER;
				return k;
			}
		} else {
			f = start_at(p + k, n - k, h->role, h->dirty);
			if (f == MAYBE && n - k > h->head.max)
				f = NO;
		}
		if (f != NO) {
			decide(h, k, false);
			if (f == YES)
				h->state = HTTP1_HEAD;
			return k;
		}
		h->dirty = h->lost = true;
		for (k++; k < n && (p[k] < 'A' || p[k] > 'Z'); k++)
			;
	}
	decide(h, n, false);
	return n;
}

static size_t
head_run(struct http1 *h, const char *p, size_t n)
{
	size_t i = h->scanned > h->pos ? h->scanned - h->pos : 0, len = head_length(p, n, &i);

	h->scanned = h->pos + i;
	if (len > h->head.max || (!len && n > h->head.max)) {
		return head_refuse(h, "long_header");
	}
	return len ? head_read(h, p, len) : 0;
}

/* A chunk's size line: llhttp gets the digits and the line end, extensions are
 * left out (RFC 9112 7.1.1: nobody needs them). Returns how many bytes are
 * done with; llhttp reads on from there. */
static size_t
size_run(struct http1 *h, const char *p, size_t n)
{
	size_t i = 0;

	if (!h->in_extension) {
		while (i < n &&
		    ((p[i] >= '0' && p[i] <= '9') || ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'f')))
			i++;
		h->digits |= i > 0;
		if (i < n && (!h->digits || (p[i] != ';' && p[i] != ' ' && p[i] != '\t'))) {
			h->in_size = false;	/* a plain line, or a wrong one */
			return 0;
		}
		if (i && llhttp_execute(&h->parser, p, i) != HPE_OK) {
			h->in_size = false;	/* too large a number: llhttp says so again */
			return 0;
		}
		h->in_extension = i < n;
	}
	while (i < n && p[i] != '\n')
		i++;
	if (i < n) {
		h->in_size = false;
		if (llhttp_execute(&h->parser, "\r\n", 2) == HPE_PAUSED)
			llhttp_resume(&h->parser);	/* the last chunk's */
		i++;
	}
	return i;
}

/* Two things that llhttp takes for the end of a header, or of a line, and that
 * are wrong: a CR that is no line end, a line of white space alone (RFC 9112
 * 2.2 and 5). first: a line may not begin with white space at all. */
static bool
lines_bad(const char *p, size_t n, bool first)
{
	const char *end = p + n, *nl;

	for (; p < end; p = nl + 1) {
		const char *q = p, *cr;

		if (!(nl = memchr(p, '\n', end - p)))
			return memchr(p, '\r', end - p);
		if ((cr = memchr(p, '\r', nl - p)) && cr + 1 < nl)
			return true;
		while (q < nl && (*q == ' ' || *q == '\t'))
			q++;
		if (q > p && (first || *q == '\r' || *q == '\n'))
			return true;
		first = false;
	}
	return false;
}

/* How much of p[0..n) llhttp may have: behind the last chunk only the whole
 * block of trailers. 0: wait; n + 1: it cannot be one. */
static size_t
trailers_length(struct http1 *h, const char *p, size_t n)
{
	size_t i = h->scanned > h->pos ? h->scanned - h->pos : 0, len;

	if (n >= 1 && *p == '\n')
		len = 1;
	else if (n >= 2 && *p == '\r' && p[1] == '\n')
		len = 2;
	else
		len = head_length(p, n, &i);
	h->scanned = h->pos + i;
	if (len ? len > h->head.max || lines_bad(p, len, true) : n > h->head.max)
		return n + 1;
	return len;
}

/* Behind a header whose request was not seen: was that HEAD? -1: not known yet. */
static int
no_body(struct http1 *h, const char *p, size_t n)
{
	bool all = h->counted && n >= h->left;	/* of what may be the body */
	enum found f = start_at(p, all ? h->left : n, HTTP1_RESPONSE, !all);

	if (f == MAYBE && !all)
		return -1;
	h->unasked = false;
	if (f == YES)
		message_end(h, NULL);
	return f == YES;
}

static size_t
body_run(struct http1 *h, const char *p, size_t n)
{
	size_t used, len = n;
	llhttp_errno_t r;

	if (h->unasked && no_body(h, p, n))
		return 0;
	used = h->in_size ? size_run(h, p, n) : 0;
	if (used) {
		decide(h, used, true);
		return used;
	}
	if (h->in_trailers && (len = trailers_length(h, p, n)) == 0)
		return 0;
	if (len > n) {
		decide(h, 1, true);
		message_end(h, "malformed");
		return 1;
	}
	n = len;
	r = llhttp_execute(&h->parser, p, n);
	used = n;
	if (r == HPE_PAUSED && !h->done) {
		used = llhttp_get_error_pos(&h->parser) - p;
		llhttp_resume(&h->parser);
		r = HPE_OK;
	} else if (r != HPE_OK) {
		const char *at = llhttp_get_error_pos(&h->parser);

		used = at >= p && at <= p + n ? (size_t)(at - p) : n;
	}
	decide(h, used, true);
	if (h->done)
		message_end(h, h->why);
	else if (r != HPE_OK)
		message_end(h, "malformed");
	return used;
}

/* Works through p[0..n) as far as can be decided. */
static size_t
run(struct http1 *h, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t used = 0;
		enum http1_state was = h->state;

		switch (h->state) {
		case HTTP1_SEEK:
			used = seek_run(h, p + i, n - i);
			break;
		case HTTP1_HEAD:
			used = head_run(h, p + i, n - i);
			break;
		case HTTP1_BODY:
			used = body_run(h, p + i, n - i);
			break;
		case HTTP1_WAIT:
		case HTTP1_OTHER:
			return i;
		}
		i += used;
		if (!used && h->state == was)
			break;
	}
	return i;
}

size_t
http1_feed(struct http1 *h, const void *bytes, size_t n)
{
	const char *p = bytes;
	size_t len = n, used;

	if (h->state == HTTP1_OTHER)
		return 0;
	if (h->pend.n) {
		if (bytes_add(&h->pend, bytes, n)) {
			h->nomem = true;
			return n;
		}
		p = h->pend.p;
		len = h->pend.n;
	}
	used = run(h, p, len);
	if (h->pend.n) {
		bytes_shift(&h->pend, used);
		if (!h->pend.n)
			bytes_reset(&h->pend, PEND_KEEP);
	} else if (h->state == HTTP1_OTHER) {
		return used;
	} else if (len > used && bytes_add(&h->pend, p + used, len - used)) {
		h->nomem = true;
	}
	if (h->state == HTTP1_WAIT && h->pend.n > WAIT_MAX)
		http1_other(h);
	return n;
}

static void
pend_refuse(struct http1 *h)
{
	if (h->pend.n && h->state == HTTP1_HEAD) {
		head_partial(h, h->why);
	} else {
		decide(h, h->pend.n, false);
	}
	bytes_reset(&h->pend, PEND_KEEP);
}

/* No more will tell whether bytes that wait behind a header are its body: they are. */
static void
body_settle(struct http1 *h)
{
	if (h->state != HTTP1_BODY || !h->unasked)
		return;
	h->unasked = false;
	bytes_shift(&h->pend, run(h, h->pend.p, h->pend.n));
}

/* A hole inside counted bytes: llhttp is shown as many others in their place. */
static void
hole_fill(struct http1 *h, uint64_t n)
{
	static const char nothing[64 << 10];

	h->filling = true;
	while (n && !h->done) {
		size_t len = n < sizeof(nothing) ? n : sizeof(nothing);

		llhttp_execute(&h->parser, nothing, len);
		n -= len;
	}
	h->filling = false;
}

void
http1_hole(struct http1 *h, uint64_t n)
{
	bool until_close;

	if (!n || h->state == HTTP1_OTHER)
		return;
	if (h->state != HTTP1_BODY) {
		enum http1_state was = h->state;

		h->why = "hole";
		pend_refuse(h);
		h->why = NULL;
		if (h->pos == h->first)
			h->first += n;
		h->pos += n;
		seek(h, true);
		if (was == HTTP1_WAIT)
			h->state = HTTP1_WAIT;
		return;
	}
	body_settle(h);
	if (h->state != HTTP1_BODY) {	/* it ended there */
		http1_hole(h, n);
		return;
	}
	until_close = llhttp_message_needs_eof(&h->parser);
	decide(h, h->pend.n, true);	/* trailers */
	bytes_reset(&h->pend, PEND_KEEP);
	h->pos += n;
	if (!until_close && (!h->counted || n > h->left)) {
		if (!h->muted)
			h->ops->cut(h->arg, h, "hole");
		message_end(h, "hole");
		return;
	}
	if (!h->muted)
		h->ops->cut(h->arg, h, "hole");
	h->muted = true;
	h->why = "hole";
	if (!until_close)
		hole_fill(h, n);
	if (h->done)
		message_end(h, h->why);
}

void
http1_finish(struct http1 *h, const char *why, bool closed)
{
	body_settle(h);
	if (h->state == HTTP1_BODY) {
		bool until_close = llhttp_message_needs_eof(&h->parser);

		decide(h, h->pend.n, true);
		bytes_reset(&h->pend, PEND_KEEP);
		message_end(h, closed && until_close ? h->why : h->why ? h->why : why);
	} else if (h->state != HTTP1_OTHER) {
		h->why = why;
		pend_refuse(h);
		h->why = NULL;
	}
	seek(h, true);
}

void
http1_wait(struct http1 *h)
{
	h->state = HTTP1_WAIT;
}

void
http1_resume(struct http1 *h)
{
	if (h->state != HTTP1_WAIT)
		return;
	seek(h, h->dirty);
	if (h->pend.n)
		http1_feed(h, NULL, 0);
}

void
http1_other(struct http1 *h)
{
	h->state = HTTP1_OTHER;
}
