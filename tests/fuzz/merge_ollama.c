/* merge_ollama.c - the ollama merge, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_ollama;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_ollama, "application/x-ndjson", p, n);
	return 0;
}
