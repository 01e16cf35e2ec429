/*
 * names.h - names whose values are credentials
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum name_class {
	NAME_NONE,
	NAME_STRONG,	/* its value is a credential wherever it stands */
	NAME_WEAK,	/* it often is: only when the value looks like one */
	NAME_HEADER,	/* in a header, not as a JSON key */
	NAME_PARAM,	/* in a URL or a form, not elsewhere */
	NAME_SCHEME,	/* a header of which the first word may stay */
	NAME_ID,	/* not secret, but tells who */
};

/* Case, '-', '_' and '.' do not matter: "x-api-key", "X_API_KEY" and "xApiKey"
 * are one name. */
enum name_class name_class(const char *name, size_t n);

#endif
