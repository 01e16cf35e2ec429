/* merge_openai_chat.c - the openai_chat merge, from the bytes of an event stream */
#include "response.h"

extern const struct merge_format merge_openai_chat;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	response_check(&merge_openai_chat, "text/event-stream", p, n);
	return 0;
}
