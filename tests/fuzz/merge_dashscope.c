/* merge_dashscope.c - the dashscope merge, from the bytes of a body */
#include "answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	answer_check(&merge_dashscope, "text/event-stream", p, n);
	return 0;
}
