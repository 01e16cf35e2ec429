/* merge_lmstudio.c - the merge of lmstudio, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_lmstudio;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_lmstudio, "text/event-stream", p, n);
	return 0;
}
