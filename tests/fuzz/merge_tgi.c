/* merge_tgi.c - the merge of tgi, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_tgi;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_tgi, "text/event-stream", p, n);
	return 0;
}
