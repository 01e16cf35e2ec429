/* merge_gemini.c - the gemini merge, from the bytes of a body */
#include "response.h"

extern const struct merge_format merge_gemini;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_gemini, "text/event-stream", p, n);
	return 0;
}
