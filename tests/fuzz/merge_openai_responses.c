/* merge_openai_responses.c - the openai_responses merge, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_openai_responses;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_openai_responses, "text/event-stream", p, n);
	return 0;
}
