/* otelsink_reply.c - any bytes as a receiver's answer: what is made of them is
 * a count that is not negative and a message that is UTF-8 without control
 * characters */
#include "jput.h"
#include "otelsink/reply.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reply r;

	for (int i = 0; i < 4; i++) {
		(i & 2 ? reply_error : reply_success)(&r, (const char *)data, n, i & 1);
		if (r.rejected < 0 || strnlen(r.message, sizeof(r.message)) == sizeof(r.message) ||
		    utf8_valid(r.message, strlen(r.message)) != strlen(r.message))
			abort();
		for (const char *p = r.message; *p; p++)
			if ((unsigned char)*p < ' ')
				abort();
	}
	return 0;
}
