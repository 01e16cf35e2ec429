/* wire.c - OTLP messages as protobuf or JSON; see wire.h */
#include "otelsink/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wire types of protobuf (protobuf.dev/programming-guides/encoding). */
enum { VARINT = 0, I64 = 1, LEN = 2, I32 = 5 };

void
wire_init(struct wire *w, struct line_out *out, bool json, bool comma)
{
	w->out = out;
	w->json = json;
	w->j = (struct jput){ out, comma };
	w->depth = 0;
	w->at[0].list = json;	/* whoever begins with an element has no key */
}

/* --- protobuf ----------------------------------------------------------------- */

static size_t
varint_size(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

static size_t
varint(unsigned char *d, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		d[n++] = v | 0x80;
	d[n++] = v;
	return n;
}

static void
put(struct wire *w, const void *p, size_t n)
{
	char *to = line_room(w->out, n);

	if (to) {
		memcpy(to, p, n);
		w->out->len += n;
	}
}

static void
put_varint(struct wire *w, uint64_t v)
{
	unsigned char b[10];

	put(w, b, varint(b, v));
}

static void
put_tag(struct wire *w, struct field f, int type)
{
	put_varint(w, f.number << 3 | type);
}

static void
put_little(struct wire *w, uint64_t v, int bytes)
{
	unsigned char b[8];

	for (int i = 0; i < bytes; i++)
		b[i] = v >> 8 * i;
	put(w, b, bytes);
}

size_t
wire_head_size(struct field f, size_t n)
{
	return varint_size(f.number << 3) + varint_size(n);
}

void
wire_head(struct wire *w, struct field f, size_t n)
{
	put_tag(w, f, LEN);
	put_varint(w, n);
}

/* The length of a message stands before it and is known behind it: one byte
 * is kept free, and the message moved when it takes more. */
static void
message_end(struct wire *w, size_t start)
{
	size_t n = w->out->len - start, more = varint_size(n) - 1;

	if (w->out->err || (more && !line_room(w->out, more)))
		return;
	if (more)
		memmove(w->out->buf + start + more, w->out->buf + start, n);
	varint((unsigned char *)w->out->buf + start - 1, n);
	w->out->len += more;
}

/* --- both --------------------------------------------------------------------- */

static const char *
key(const struct wire *w, struct field f)
{
	return w->at[w->depth].list ? NULL : f.name;
}

static void
enter(struct wire *w, bool list)
{
	if (++w->depth == WIRE_DEPTH)
		abort();	/* attr_put bounds what is nested; nothing else is deep */
	w->at[w->depth].start = w->out->len;
	w->at[w->depth].list = list;
}

void
wire_open(struct wire *w, struct field f)
{
	if (w->json) {
		jput_object(&w->j, key(w, f));
	} else {
		put_tag(w, f, LEN);
		put(w, "", 1);
	}
	enter(w, false);
}

void
wire_close(struct wire *w)
{
	if (w->json)
		jput_object_end(&w->j);
	else
		message_end(w, w->at[w->depth].start);
	w->depth--;
}

void
wire_list(struct wire *w, struct field f)
{
	if (w->json)
		jput_array(&w->j, f.name);
	enter(w, true);
}

void
wire_list_end(struct wire *w)
{
	if (w->json)
		jput_array_end(&w->j);
	w->depth--;
}

void
wire_str(struct wire *w, struct field f, const void *p, size_t n)
{
	if (w->json) {
		jput_bytes(&w->j, key(w, f), p, n);
	} else {
		wire_head(w, f, n);
		put(w, p, n);
	}
}

void
wire_id(struct wire *w, struct field f, const unsigned char *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	char hex[64];

	if (!w->json) {
		wire_head(w, f, n);
		put(w, p, n);
		return;
	}
	for (size_t i = 0; i < n && i < sizeof(hex) / 2; i++) {
		hex[2 * i] = digit[p[i] >> 4];
		hex[2 * i + 1] = digit[p[i] & 15];
	}
	jput_bytes(&w->j, key(w, f), hex, 2 * n);
}

void
wire_enum(struct wire *w, struct field f, uint32_t v)
{
	if (w->json) {
		jput_uint(&w->j, key(w, f), v);
	} else {
		put_tag(w, f, VARINT);
		put_varint(w, v);
	}
}

void
wire_bool(struct wire *w, struct field f, bool v)
{
	if (w->json) {
		jput_bool(&w->j, key(w, f), v);
	} else {
		put_tag(w, f, VARINT);
		put_varint(w, v);
	}
}

static void
put_decimal(struct wire *w, struct field f, int64_t v, bool sign)
{
	char b[24];

	jput_bytes(&w->j, key(w, f), b, sign ? snprintf(b, sizeof(b), "%" PRId64, v) :
	    snprintf(b, sizeof(b), "%" PRIu64, (uint64_t)v));
}

void
wire_int(struct wire *w, struct field f, int64_t v)
{
	if (w->json) {
		put_decimal(w, f, v, true);
	} else {
		put_tag(w, f, VARINT);
		put_varint(w, v);
	}
}

void
wire_sfixed64(struct wire *w, struct field f, int64_t v)
{
	if (w->json) {
		put_decimal(w, f, v, true);
	} else {
		put_tag(w, f, I64);
		put_little(w, v, 8);
	}
}

void
wire_fixed64(struct wire *w, struct field f, uint64_t v)
{
	if (w->json) {
		put_decimal(w, f, v, false);
	} else {
		put_tag(w, f, I64);
		put_little(w, v, 8);
	}
}

void
wire_fixed32(struct wire *w, struct field f, uint32_t v)
{
	if (w->json) {
		jput_uint(&w->j, key(w, f), v);
	} else {
		put_tag(w, f, I32);
		put_little(w, v, 4);
	}
}

static uint64_t
double_bits(double d)
{
	uint64_t v;

	memcpy(&v, &d, 8);
	return v;
}

void
wire_double(struct wire *w, struct field f, double d)
{
	if (w->json) {
		jput_real(&w->j, key(w, f), d);
	} else {
		put_tag(w, f, I64);
		put_little(w, double_bits(d), 8);
	}
}

void
wire_fixed64s(struct wire *w, struct field f, const uint64_t *v, size_t n)
{
	if (!w->json)
		wire_head(w, f, 8 * n);
	wire_list(w, f);
	for (size_t i = 0; i < n; i++)
		w->json ? put_decimal(w, f, v[i], false) : put_little(w, v[i], 8);
	wire_list_end(w);
}

void
wire_doubles(struct wire *w, struct field f, const double *v, size_t n)
{
	if (!w->json)
		wire_head(w, f, 8 * n);
	wire_list(w, f);
	for (size_t i = 0; i < n; i++)
		w->json ? jput_real(&w->j, NULL, v[i]) : put_little(w, double_bits(v[i]), 8);
	wire_list_end(w);
}
