/* tap.h - TAP for the C unit tests: ok(condition, "name") and done() */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { int n, failed; } tap;

static inline void
tap_ok(int good, const char *what, const char *file, int line)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap.n, what);
	if (!good) {
		tap.failed++;
		printf("# %s:%d\n", file, line);
	}
}
#define ok(good, what) tap_ok((good) ? 1 : 0, what, __FILE__, __LINE__)

/* Bytes against a C string. */
#define is(p, n, want, what) ok((n) == strlen(want) && !memcmp(p, want, n), what)

static inline int
done(void)
{
	printf("1..%d\n", tap.n);
	return tap.failed != 0;
}

#endif
