/* merge_mistral.c - the merge of mistral, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_mistral;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_mistral, "text/event-stream", p, n);
	return 0;
}
