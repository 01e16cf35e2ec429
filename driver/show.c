/*
 * agentsight-show - words of somebody else's in a message of a shell script (show.h)
 *
 * agentsight-show TEXT: prints it, and a newline; what is no text by its number.
 */
#include <stdio.h>
#include <string.h>

#include "show.h"

int
main(int argc, char **argv)
{
	char out[256];
	const char *s = argc > 1 ? argv[1] : "";

	/* a piece of it at a time, and none ends within a character */
	for (size_t n = strlen(s), take; n; s += take, n -= take) {
		take = n < sizeof(out) / SHOW_MAX ? n : sizeof(out) / SHOW_MAX;
		while (take < n && take > 1 && ((unsigned char)s[take] & 0xc0) == 0x80)
			take--;
		show_bytes(out, sizeof(out), s, take);
		fputs(out, stdout);
	}
	return putchar('\n') == EOF || fflush(stdout) ? 1 : 0;
}
