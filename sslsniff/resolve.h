/*
 * resolve.h - the program behind a command
 *
 * What a user types is often not what speaks TLS: a script with an interpreter
 * (#!, see execve(2)), or the launcher of an npm package whose program lies in a
 * package for this platform beside it.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stddef.h>

enum { RESOLVE_PATH = 4096 };

struct resolved {
	char command[RESOLVE_PATH];	/* the file that the word names */
	char program[RESOLVE_PATH];	/* what is run in the end */
	/* what the one is of the other; "" when they are the same */
	char why[160];
};

/* word: a file, or a name that is looked for in $PATH and, under sudo (SUDO_USER),
 * in that user's ~/.local/bin, ~/bin, ~/.npm-global/bin, ~/.bun/bin and the newest
 * of ~/.nvm/versions/node/N/bin. A file that is no script is itself. 0, or -1 and
 * why says what is missing. */
int resolve_command(struct resolved *, const char *word);

#endif
