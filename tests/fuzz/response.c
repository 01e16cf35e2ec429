/*
 * response.c - any body: framing and format as they are found
 *
 * The first byte chooses the content type.
 */
#include "response.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const type[] = { "text/event-stream", "application/x-ndjson",
	    "application/json", NULL };

	if (n)
		response_check(NULL, type[*p % 4], p + 1, n - 1);
	return 0;
}
