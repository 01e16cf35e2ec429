/*
 * args.c - see args.h
 */
#include <string.h>

#include "args.h"
#include "jput.h"

void
args_put(struct jput *j, const char *p, size_t n)
{
	const char *end = p + n;
	/* NUL is valid, and a character does not go on behind it */
	int text = utf8_valid(p, n) == n;

	jput_array(j, text ? "argv" : "argv_b64");
	while (p < end) {
		const char *nul = memchr(p, '\0', end - p);
		size_t len = (nul ? nul : end) - p;

		if (text)
			jput_bytes(j, NULL, p, len);
		else
			jput_base64(j, NULL, p, len);
		p += len + 1;
	}
	jput_array_end(j);
}
