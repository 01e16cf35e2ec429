/*
 * shapes.h - what the tokens of makers look like
 */
#ifndef SHAPES_H
#define SHAPES_H

enum {
	SHAPE_DIGIT = 1,	/* has a digit, or it is a word */
	SHAPE_IDS = 2,		/* an account; only with --ids */
	SHAPE_MIXED = 4,	/* has digits, lower and upper case */
	SHAPE_RANDOM = 8,	/* looks as if thrown by dice */
	SHAPE_INSIDE = 16,	/* may begin within a word */
};

struct shape {
	const char *name;	/* of the rule */
	const char *before;	/* pattern.h; NULL: nothing is asked for */
	/* the literal starts, with spaces between. "%" and a letter is the first byte of
	 * what follows: %h hexadecimal, %d a digit */
	const char *starts;
	const char *behind;	/* pattern.h */
	int flags;
};

extern const struct shape shapes[];
extern const unsigned nshapes;

#endif
