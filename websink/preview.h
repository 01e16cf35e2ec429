/*
 * preview.h - an event line as the page first gets it: what is long is cut
 *
 * A request carries the whole conversation so far, again and again; the page
 * needs it only when somebody looks. Lines over PREVIEW_LINE lose the middle of
 * what is long in them, and say so: "cut":{"body":102400} is the length of the
 * JSON text that was there. Calls of models and tools stay whole: they are what
 * the page shows.
 */
#ifndef PREVIEW_H
#define PREVIEW_H

#include <stdbool.h>

enum {
	PREVIEW_LINE = 4096,	/* bytes: shorter lines stay as they are */
	PREVIEW_VALUE = 2048,	/* longer texts are cut, */
	PREVIEW_KEEP = 1024,	/* to this */
};

struct event;
struct line_out;

/* Appends the short form to out, without a newline. False: the line is to stay
 * as it is, and nothing was appended. */
bool preview_event(struct event *, struct line_out *out);

#endif
