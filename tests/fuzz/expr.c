/* expr.c - any text as an expression, asked of an event of its own */
#include "../../jsonfilter/expr.h"
#include "event.h"

#include <stdint.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char line[] = "{\"type\":\"http.request\",\"len\":5,\"path\":\"/a?b=c\",\"data_b64\":\"AP8=\",\"a\":{\"b\":[1,\"x\",null]},\"t\":true}";
	const char *text = (const char *)p, *nl = memchr(text, '\n', n), *why;
	size_t at, len = nl ? (size_t)(nl - text) : n;
	struct event ev;
	struct expr *e = expr_parse(text, len, &why, &at);

	if (!e) {
		if (!why || at > len)
			__builtin_trap();
		return 0;
	}
	event_init(&ev);
	/* behind the first newline: a line to ask */
	if (nl && event_scan(&ev, nl + 1, text + n - nl - 1) == EVENT_OK)
		expr_true(e, &ev);
	event_scan(&ev, line, sizeof(line) - 1);
	expr_true(e, &ev);
	event_free(&ev);
	expr_free(e);
	return 0;
}
