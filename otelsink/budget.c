/* budget.c - copies of text, bounded; see budget.h */
#include "otelsink/budget.h"

#include <stdlib.h>
#include <string.h>

struct piece {
	struct budget *budget;
	size_t size;
	char text[];
};

char *
budget_copy(struct budget *b, const void *p, size_t n)
{
	size_t size = sizeof(struct piece) + n + 1;
	struct piece *piece;

	if (!p)
		return NULL;
	if (b->used + size > b->max || !(piece = malloc(size))) {
		b->refused++;
		b->bytes += n;
		return NULL;
	}
	b->used += size;
	*piece = (struct piece){ b, size };
	memcpy(piece->text, p, n);
	piece->text[n] = '\0';
	return piece->text;
}

void
budget_free(char *s)
{
	struct piece *piece;

	if (!s)
		return;
	piece = (struct piece *)(s - offsetof(struct piece, text));
	piece->budget->used -= piece->size;
	free(piece);
}
