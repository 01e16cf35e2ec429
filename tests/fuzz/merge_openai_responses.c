/* merge_openai_responses.c - the openai_responses merge, from the bytes of a body */
#include "answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	answer_check(&merge_openai_responses, "text/event-stream", p, n);
	return 0;
}
