/* merge_anthropic.c - the anthropic merge, from the bytes of an event stream */
#include "answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	answer_check(&merge_anthropic, "text/event-stream", p, n);
	return 0;
}
