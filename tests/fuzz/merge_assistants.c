/* merge_assistants.c - the merge of assistants, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_assistants;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_assistants, "text/event-stream", p, n);
	return 0;
}
