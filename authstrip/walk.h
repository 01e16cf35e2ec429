/*
 * walk.h - where the strings of JSON documents are, in a text that comes in pieces
 *
 * Documents are found wherever they stand: behind "data:" of an event stream, one
 * a line, in a web socket's message, in the payload of a frame. Nothing is known
 * of what carries them, nor of their keys. A document may be cut at any byte. One
 * that is an array or a string alone begins a line, behind "data:", a number or a
 * letter or two; what stands behind "data:" and is no JSON is a string, too.
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
	uint64_t path;		/* of keys and places in arrays, an outermost one's apart */
	uint64_t keys;		/* of keys alone */
	uint64_t places;	/* in arrays, but of what has an "index" of its own */
	uint64_t index;		/* of the "index" members beside that path, and of the place
				 * in an outermost array; 0: there is none */
	size_t from, end;
	unsigned lead;		/* backslashes of it that were not in the piece before */
	bool first, last;	/* it begins, it ends here */
};

struct walk {
	unsigned quote, state, depth;
	unsigned run;		/* backslashes at the end of the piece before */
	unsigned withheld;	/* of them, in a string, those that were left out of it */
	unsigned words;		/* bytes of framing that may stand here, behind a line */
	uint64_t key, tail;	/* of the key at hand; its last bytes */
	uint64_t number;
	bool framed;		/* it may be a frame's */
	bool first;		/* of the string at hand nothing came before */
	bool broken;		/* a document was none */
	struct walk_line {	/* where a line begins that is in no document */
		bool begins, data;	/* nothing was before this; but "data:" was */
		uint8_t n, letters;	/* bytes of the word at hand, and letters among them */
		char word[4];
	} line;
	struct walk_level {
		uint64_t path, keys, places, index;
		uint64_t own;	/* its part of places */
		uint32_t place;	/* in an array */
		uint32_t strings;	/* how many there were where it began */
		bool array;
	} level[WALK_DEPTH + 1];
};

struct walk_list { struct walk_string *v; size_t n, cap; bool nomem; };

/* path, keys: what those of the strings begin with. */
void walk_init(struct walk *, unsigned quote, uint64_t path, uint64_t keys);
/* The strings of the next piece, behind those in the list. */
void walk_piece(struct walk *, const char *s, size_t n, struct walk_list *);
/* What comes next is a message, as if "data:" stood before it. */
void walk_message(struct walk *);
/* Whether a document is open, or what stands before one has begun. */
bool walk_inside(const struct walk *);

/* Two parts of a path as one. */
uint64_t walk_mix(uint64_t, uint64_t);

#endif
