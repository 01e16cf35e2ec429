/*
 * endmark.h - whether an event stream has said that it is over
 *
 * By the line or event that model APIs end their streams with. Clients often
 * leave right behind it, without waiting for the end of the body.
 */
#ifndef ENDMARK_H
#define ENDMARK_H

#include <stdbool.h>
#include <stddef.h>

struct endmark {
	bool over;

	/* private */
	char line[32];		/* the line at hand, as far as it matters */
	size_t n;
	bool last;		/* the event at hand is the last */
	bool cr;		/* the byte before was one */
};

/* The next bytes of the stream. A zeroed struct is the beginning of one. */
void endmark_feed(struct endmark *, const char *p, size_t n);

#endif
