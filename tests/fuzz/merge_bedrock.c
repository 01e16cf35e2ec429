/*
 * merge_bedrock.c - AWS event streams and the two Bedrock merges
 *
 * A line "NAME JSON" becomes a message with good CRCs; "chunk JSON" wraps the
 * JSON as InvokeModel does; "! BYTES" goes in as it is, "?NAME JSON" as an
 * exception.
 */
#include "response.h"

enum { BODY_MAX = 1 << 16 };

static size_t
put32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = v >> (24 - i * 8);
	return 4;
}

static size_t
header(uint8_t *to, const char *key, const uint8_t *v, size_t n)
{
	size_t k = strlen(key);

	to[0] = k;
	memcpy(to + 1, key, k);
	to[k + 1] = 7;
	to[k + 2] = n >> 8;
	to[k + 3] = n;
	memcpy(to + k + 4, v, n);
	return k + 4 + n;
}

static size_t
base64(uint8_t *to, const uint8_t *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *d = to;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t w = p[i] << 16 | (i + 1 < n ? p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] :
		    0);

		*d++ = digit[w >> 18];
		*d++ = digit[w >> 12 & 63];
		*d++ = i + 1 < n ? digit[w >> 6 & 63] : '=';
		*d++ = i + 2 < n ? digit[w & 63] : '=';
	}
	return d - to;
}

static size_t
message(uint8_t *to, const uint8_t *line, size_t n)
{
	const uint8_t *space = memchr(line, ' ', n), *json = space ? space + 1 : line + n;
	size_t name = space ? (size_t)(space - line) : n, len = line + n - json, head;
	bool exception = name && *line == '?';
	uint8_t *p = to + 12;

	if (name == 1 && *line == '!') {
		memcpy(to, json, len);
		return len;
	}
	p += header(p, ":message-type", (const uint8_t *)(exception ? "exception" : "event"),
	    exception ? 9 : 5);
	p += header(p, exception ? ":exception-type" : ":event-type", line + exception,
	    name - exception);
	head = p - to - 12;
	if (name == 5 && !memcmp(line, "chunk", 5)) {
		memcpy(p, "{\"bytes\":\"", 10);
		p += 10;
		p += base64(p, json, len);
		memcpy(p, "\"}", 2);
		p += 2;
	} else {
		memcpy(p, json, len);
		p += len;
	}
	put32(to, p + 4 - to);
	put32(to + 4, head);
	put32(to + 8, aws_crc32(to, 8));
	return p - to + put32(p, aws_crc32(to, p - to));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t body[BODY_MAX];
	const uint8_t *end = p + n, *lf;
	size_t at = 0;

	for (; p < end && at + 2 * n + 200 < BODY_MAX; p = lf + 1) {
		lf = memchr(p, '\n', end - p);
		lf = lf ? lf : end;
		at += message(body + at, p, lf - p);
	}
	response_check(NULL, "application/vnd.amazon.eventstream", body, at);
	return 0;
}
