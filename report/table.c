/* table.c - see table.h */
#include "table.h"

#include "cell.h"
#include "layout.h"
#include "pager.h"

#include "line.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_LINES = 4 };	/* beside the rows: title, headings, what is left out, prompt */

static void
put(struct line_out *out, const char *s)
{
	line_add(out, s, strlen(s));
}

static void
put_blanks(struct line_out *out, size_t n)
{
	while (n--)
		line_add(out, " ", 1);
}

/* What leaves first has the lowest number. */
static int
place_in(const char *list, const char *name)
{
	size_t n = strlen(name);
	int place = 1;

	for (const char *p = list; p && *p && *p != '\n'; place++) {
		size_t k;

		p += strspn(p, " ,\t");
		k = strcspn(p, " ,\t\r\n");
		if (k == n && !memcmp(p, name, n))
			return place;
		p += k;
	}
	return 0;
}

int
table_begin(struct table *t, const char *const *names, size_t n)
{
	t->n = n;
	t->column = calloc(n, sizeof(*t->column));
	t->some = calloc(n, sizeof(*t->some));
	t->rest = calloc(n, sizeof(*t->rest));
	if (!t->column || !t->some || !t->rest)
		return -1;
	for (size_t i = 0; i < n; i++) {
		t->column[i] = (struct layout){ .name = strdup(names[i]), .number = true,
		    .leaves = place_in(t->leave, names[i]),
		    .wraps = place_in(t->wrap, names[i]) != 0 };
		if (!t->column[i].name)
			return -1;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------------- */

static void
put_head(struct table *t, size_t line)
{
	size_t behind = 0;
	bool first = true;

	if (t->colour && line + 1 == t->lines)
		put(t->out, "\033[4m");
	for (size_t i = 0; i < t->n; i++) {
		const struct layout *c = &t->column[i];
		bool right = c->number && t->some[i];
		const char *part;
		size_t n;

		if (!c->shown)
			continue;
		n = layout_head(c->name, c->width, line, t->lines, &part);
		behind += (first ? 0 : LAYOUT_GAP) + (right ? c->width - n : 0);
		first = false;
		if (!n) {
			behind += right ? 0 : c->width;
			continue;
		}
		put_blanks(t->out, behind);
		line_add(t->out, part, n);
		behind = right ? 0 : c->width - n;
	}
	if (t->colour && line + 1 == t->lines)
		put(t->out, "\033[0m");
	line_end(t->out);
}

/* Writes a cell, or its next line, behind so many blanks; returns those before the next one. */
static size_t
put_cell(struct table *t, const struct layout *c, struct cell *cell, size_t gap)
{
	size_t took, n = c->wraps ? cell_line(cell->s, cell->n, c->width) : cell->n;

	if (c->number) {	/* that came late may be wider than those before */
		took = cell_width(cell->s, n);
		gap += took < c->width ? c->width - took : 0;
	}
	if (!n)
		return gap + (c->number ? 0 : c->width);
	put_blanks(t->out, gap);
	took = cell_put(t->out, cell->s, n - (n < cell->n && cell->s[n - 1] == ' '),
	    c->number ? 0 : c->width);
	cell->s += n;
	cell->n = c->wraps ? cell->n - n : 0;
	return took < c->width && !c->number ? c->width - took : 0;
}

/* A row takes as many lines as the longest text that goes on. */
static void
put_row(struct table *t, const struct cell *row)
{
	bool more = true;

	for (size_t i = 0; i < t->n; i++)
		t->rest[i] = row[i];
	while (more) {
		size_t behind = 0;
		bool first = true;

		more = false;
		for (size_t i = 0; i < t->n; i++) {
			const struct layout *c = &t->column[i];

			if (!c->shown)
				continue;
			behind = put_cell(t, c, &t->rest[i], behind + (first ? 0 : LAYOUT_GAP));
			more |= t->rest[i].n > 0;
			first = false;
		}
		line_end(t->out);
	}
}

/* A word behind a blank, or in the next line when this one is full. */
static void
put_word(struct table *t, size_t *at, const char *word, const char *end)
{
	size_t n = strlen(word) + strlen(end);

	if (*at && t->width && *at + 1 + n > t->width) {
		line_end(t->out);
		put(t->out, "  ");
		*at = 2;
	} else if (*at) {
		put(t->out, " ");
		*at += 1;
	}
	put(t->out, word);
	put(t->out, end);
	*at += n;
}

/* Which columns the terminal has no room for. */
static void
put_left_out(struct table *t)
{
	size_t at = 0, left = 0;

	for (size_t i = 0; i < t->n; i++)
		left += !t->column[i].shown;
	if (!left)
		return;
	put_word(t, &at, "without", "");
	for (size_t i = 0; i < t->n; i++)
		if (!t->column[i].shown)
			put_word(t, &at, t->column[i].name, --left ? "," : "");
	put_word(t, &at, "(too", "");
	put_word(t, &at, "narrow;", "");
	put_word(t, &at, "--csv", "");
	put_word(t, &at, "has", "");
	put_word(t, &at, "all)", "");
	line_end(t->out);
}

static void
start(struct table *t)
{
	t->lines = layout_fit(t->column, t->n, t->width);
	if (t->height && t->rows + t->lines + FRAME_LINES > t->height)
		pager_start();
	if (*t->title) {
		if (t->colour)
			put(t->out, "\033[1m");
		cell_put(t->out, t->title, strlen(t->title), t->width);
		if (t->colour)
			put(t->out, "\033[0m");
		line_end(t->out);
	}
	if (!t->rows) {
		put(t->out, "nothing");
		line_end(t->out);
		return;
	}
	for (size_t i = 0; i < t->lines; i++)
		put_head(t, i);
	for (size_t i = 0; i < t->rows; i++)
		put_row(t, t->cells + i * t->n);
}

static void
drop_row(struct table *t, struct cell *row)
{
	for (size_t i = 0; i < t->n; i++)
		free(row[i].s);
}

/* --- collecting ------------------------------------------------------------------------ */

static void
look(struct table *t, size_t i, const char *s, size_t n)
{
	struct layout *c = &t->column[i];
	size_t w = cell_width(s, n);

	if (w > c->text)
		c->text = w;
	if (n) {
		t->some[i] = true;
		c->number &= cell_is_number(s, n);
	}
}

int
table_cell(struct table *t, size_t i, const char *s, size_t n)
{
	size_t row = t->lines ? 0 : t->rows;
	struct cell *at;

	if (row == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 128;
		struct cell *more = realloc(t->cells, cap * t->n * sizeof(*more));

		if (!more)
			return -1;
		t->cells = more;
		t->cap = cap;
	}
	at = &t->cells[row * t->n + i];
	if (!(at->s = malloc(n + 1)))
		return -1;
	memcpy(at->s, s, n);
	at->n = n;
	if (!t->lines)
		look(t, i, s, n);
	if (i + 1 < t->n)
		return 0;
	if (t->lines) {
		put_row(t, t->cells);
		drop_row(t, t->cells);
	} else if (++t->rows == TABLE_LOOK) {
		start(t);
		for (size_t k = 0; k < t->rows; k++)
			drop_row(t, t->cells + k * t->n);
	}
	return 0;
}

void
table_end(struct table *t)
{
	if (!t->lines) {
		start(t);
		for (size_t k = 0; k < t->rows; k++)
			drop_row(t, t->cells + k * t->n);
	}
	if (t->rows)
		put_left_out(t);
	for (size_t i = 0; i < t->n; i++)
		free((char *)t->column[i].name);
	free(t->cells);
	free(t->column);
	free(t->some);
	free(t->rest);
	t->cells = NULL;
	t->column = NULL;
	t->some = NULL;
}
