/* merge_cohere_v1.c - the merge of cohere_v1, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_cohere_v1;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_cohere_v1, "application/stream+json", p, n);
	return 0;
}
