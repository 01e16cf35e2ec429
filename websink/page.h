/*
 * page.h - the page itself, as it was bundled at build time
 */
#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdio.h>

struct recent;

const char *page_text(size_t *n);	/* HTML, self-contained */
const char *page_csp(void);		/* the Content-Security-Policy that fits it */

/* Writes the page with the lines inside. -1: errno. */
int page_write(FILE *, struct recent *, const char *source);

#endif
