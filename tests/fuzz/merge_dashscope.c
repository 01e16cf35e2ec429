/* merge_dashscope.c - the dashscope merge, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_dashscope;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_dashscope, "text/event-stream", p, n);
	return 0;
}
