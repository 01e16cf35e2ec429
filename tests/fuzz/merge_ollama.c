/* merge_ollama.c - the ollama merge, from the bytes of a body */
#include "answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	answer_check(&merge_ollama, "application/x-ndjson", p, n);
	return 0;
}
