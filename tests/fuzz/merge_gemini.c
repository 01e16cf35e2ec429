/* merge_gemini.c - the gemini merge, from the bytes of a body */
#include "answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	answer_check(&merge_gemini, "text/event-stream", p, n);
	return 0;
}
