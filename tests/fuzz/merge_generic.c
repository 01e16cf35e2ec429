/* merge_generic.c - the merge of nobody known, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_generic;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_generic, "text/event-stream", p, n);
	return 0;
}
