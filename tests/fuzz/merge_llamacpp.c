/* merge_llamacpp.c - the merge of llamacpp, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_llamacpp;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_llamacpp, "text/event-stream", p, n);
	return 0;
}
