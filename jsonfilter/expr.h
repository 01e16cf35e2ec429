/*
 * expr.h - conditions on event lines: parsed once, then asked of every event
 *
 *	EXPR  = AND { "|" AND }        AND = UNARY { "&" UNARY }
 *	UNARY = "!" UNARY | "(" EXPR ")" | CONDITION
 *	CONDITION = FIELD OP VALUE | FIELD | "/TEXT"
 *	OP    = "=" "!=" "<" "<=" ">" ">=" "~" "^=" "$=" "=~"
 *
 * jsonfilter(1) says what they mean.
 */
#ifndef EXPR_H
#define EXPR_H

#include <stdbool.h>
#include <stddef.h>

struct event;
struct expr;

/* Parses text[0..n). NULL when it is not an expression: *why (static) says
 * what is wrong and *at where, an offset into text. */
struct expr *expr_parse(const char *text, size_t n, const char **why, size_t *at);
void expr_free(struct expr *);

/* Whether it is true of the event. The event's arena is used for decoding. */
bool expr_true(const struct expr *, struct event *);

/* The type that an event must have for the expression to be true of it, or
 * NULL when it is not bound to one. */
const char *expr_type(const struct expr *);

#endif
