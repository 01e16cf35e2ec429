/* merge_anthropic.c - the anthropic merge, from the bytes of an event stream */
#include "response.h"

extern const struct merge_format merge_anthropic;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_anthropic, "text/event-stream", p, n);
	return 0;
}
