/* merge_cohere.c - the cohere merge, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_cohere;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_cohere, "text/event-stream", p, n);
	return 0;
}
