/* books.c - see books.h */
#include "books.h"

#include "event.h"
#include "jput.h"
#include "line.h"

#include <string.h>

static void
open_line(struct jput *j, struct line_out *out, const char *type, const struct books *b)
{
	jput_open(j, out, type);
	if (b->timestamp_ns)
		jput_uint(j, "timestamp_ns", b->timestamp_ns);
	if (b->pid)
		jput_uint(j, "pid", b->pid);
	jput_str(j, "stage", b->stage);
}

void
books_begin(struct line_out *out, const struct books *b)
{
	struct jput j;

	open_line(&j, out, "stage.begin", b);
	jput_str(&j, "version", VERSION);
	if (b->collects) {
		jput_array(&j, "collects");
		for (size_t i = 0; b->collects[i]; i++)
			jput_str(&j, NULL, b->collects[i]);
		jput_array_end(&j);
	}
	jput_close(&j);
}

void
books_end(struct line_out *out, const struct books *b)
{
	struct jput j;

	open_line(&j, out, "stage.end", b);
	jput_uint(&j, "read", b->read);
	jput_uint(&j, "written", b->written);
	jput_uint(&j, "lost", b->lost);
	jput_str(&j, "why", books_why(b->why));
	jput_close(&j);
}

const char *
books_why(enum books_why why)
{
	static const char *const name[] = {
		[BOOKS_INPUT_END] = "input_end",
		[BOOKS_DURATION] = "duration",
		[BOOKS_SIGNAL] = "signal",
		[BOOKS_OUTPUT_CLOSED] = "output_closed",
		[BOOKS_FAILED] = "failed",
	};

	return name[why];
}

bool
books_event(const struct event *ev)
{
	struct value type = event_get(ev, "type");

	return type.n > 6 && (!memcmp(type.p, "\"run.", 5) || !memcmp(type.p, "\"stage.", 7));
}
