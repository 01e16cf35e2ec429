/* merge_dashscope.c - the dashscope merge, from the bytes of a body */
#include "response.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_dashscope, "text/event-stream", p, n);
	return 0;
}
