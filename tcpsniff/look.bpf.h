/*
 * look.bpf.h - whether bytes begin as HTTP does
 *
 * A request line, a status line, or the preface of HTTP/2 (RFC 9113 3.4). LOOK bytes
 * are enough to tell. Not what is HTTP: what is worth copying.
 */
#ifndef LOOK_BPF_H
#define LOOK_BPF_H

#include "kernel.bpf.h"

enum { LOOK = 16 };
enum look { LOOK_NO, LOOK_MAYBE, LOOK_REQUEST, LOOK_RESPONSE };

/* Bytes in memory, as a number. */
#define TEXT8(a, b, c, d, e, f, g, h) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | \
	(__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

/* Whether a, of which n bytes are known and the others 0, is or may become text. */
static __always_inline enum look
look_text(__u64 a, __u32 n, __u64 text, __u32 len)
{
	__u64 known = n >= len ? len : n, mask = known >= 8 ? -1ull : (1ull << 8 * known) - 1;

	if ((a ^ text) & mask)
		return LOOK_NO;
	return n >= len ? LOOK_REQUEST : LOOK_MAYBE;
}

/* A method and what its target begins with. RTSP and SIP have the same lines with
 * targets of their own. */
static __always_inline enum look
look_request(const char *w, __u32 n, __u64 a)
{
	for (int i = 0; i < LOOK - 1; i++) {
		char c = w[i], d = w[i + 1];

		if (i >= n)
			return LOOK_MAYBE;
		if ((c >= 'A' && c <= 'Z') || c == '-')
			continue;
		if (c != ' ' || i < 3)
			return LOOK_NO;
		if (i + 1 >= n)
			return LOOK_MAYBE;
		return d == '/' || d == '*' || d == 'h' ||
		    a == TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ') ? LOOK_REQUEST : LOOK_NO;
	}
	return LOOK_NO;
}

/* w: LOOK bytes, 0 behind the first n; n at most LOOK. Not static: so the verifier
 * looks at it once. */
__noinline int
look_at(const char (*window)[LOOK], __u32 n)
{
	const char *w;
	__u64 a, b;
	enum look r;

	if (!window || !n)
		return LOOK_MAYBE;
	w = *window;
	a = *(const __u64 *)w;
	b = *(const __u64 *)(w + 8);
	r = look_text(a, n, TEXT8('H', 'T', 'T', 'P', '/', '1', '.', 0), 7);
	if (r == LOOK_REQUEST)
		return LOOK_RESPONSE;
	if (n >= 4 && (__u32)a == (__u32)TEXT8('P', 'R', 'I', ' ', 0, 0, 0, 0)) {
		r = look_text(a, n, TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T'), 8);
		return r != LOOK_REQUEST ? r :
		    look_text(b, n - 8, TEXT8('T', 'P', '/', '2', '.', '0', '\r', '\n'), 8);
	}
	/* HEAD begins as HTTP does */
	return r == LOOK_MAYBE ? r : look_request(w, n, a);
}

#endif
