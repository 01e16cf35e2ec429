/* merge_cohere.c - the cohere merge, from the bytes of a body */
#include "response.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_cohere, "text/event-stream", p, n);
	return 0;
}
