/* merge_interactions.c - the merge of interactions, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_interactions;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_interactions, "text/event-stream", p, n);
	return 0;
}
