/*
 * walk.h - where the strings of JSON documents are, in a text that comes in pieces
 *
 * Documents are found wherever they stand: behind "data:" of an event stream, one
 * a line, in a web socket's message, in the payload of a frame. Nothing is known
 * of what carries them, nor of their keys. A document may be cut at any byte.
 *
 * The text is as a line of ours has it: with `quote` backslashes before each quote
 * of the document (1 in a string of a line, 3 in a string of JSON in that, 0 in
 * bytes).
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WALK_DEPTH = 32 };	/* deeper ones have the path of this depth */

/* A string that is a value, or a piece of one: s[from..end) of the text. */
struct walk_string {
	uint64_t path;		/* of keys and places in arrays, without that in an outermost one */
	uint64_t index;		/* of the "index" members beside that path; 0: there is none */
	size_t from, end;
	bool first, last;	/* it begins, it ends here */
};

struct walk {
	uint8_t quote, state;
	uint16_t depth;
	unsigned run;		/* backslashes at the end of the piece before */
	unsigned words;		/* bytes of framing that may stand here, behind a line's end */
	uint64_t key, tail;	/* of the key at hand; its last bytes */
	uint64_t number;
	bool framed;		/* it may be a frame's */
	struct walk_level {
		uint64_t path, index;
		uint32_t place;	/* in an array */
		uint32_t strings;	/* how many there were where it began */
		bool array;
	} level[WALK_DEPTH + 1];
};

struct walk_list { struct walk_string *v; size_t n, cap; bool nomem; };

/* base: what paths begin with. */
void walk_init(struct walk *, unsigned quote, uint64_t base);
/* The strings of the next piece, behind those in the list. */
void walk_piece(struct walk *, const char *s, size_t n, struct walk_list *);
/* Whether a document is open. */
bool walk_inside(const struct walk *);

/* Two parts of a path as one. */
uint64_t walk_mix(uint64_t, uint64_t);

#endif
