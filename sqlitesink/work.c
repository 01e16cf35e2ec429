/* work.c - see work.h */
#include "work.h"

#include "lib/flow.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	AGENTS = 1024,
	TOOLS = 256,			/* of an agent, */
	STRINGS = 64,			/* in the arguments of one, */
	DEPTH = 8,			/* that deep, */
	BYTES = 1 << 16,		/* and that long together */
	ALL_BYTES = 32 << 20,
};
#define KEPT_NS 60000000000ull		/* behind its result */

struct string {
	size_t at, n;
	bool command;		/* it is given to a shell, or is a program with its arguments */
};

struct tool {
	int64_t id;
	uint64_t from_ns, to_ns;	/* to_ns 0: no result yet */
	unsigned programs;	/* that were found for it */
	struct string string[STRINGS];
	size_t n, bytes;
	char *text;		/* of all strings */
};

struct agent {
	struct tool **tool;
	size_t n;
};

struct work {
	struct flow_table *agents;
};

static void
tool_free(struct agent *a, size_t i)
{
	free(a->tool[i]->text);
	free(a->tool[i]);
	a->n--;
	memmove(a->tool + i, a->tool + i + 1, (a->n - i) * sizeof(*a->tool));
}

static void
on_finish(void *arg, void *entry, enum flow_why why)
{
	struct agent *a = entry;

	(void)arg, (void)why;
	while (a->n)
		tool_free(a, a->n - 1);
	free(a->tool);
}

struct work *
work_new(void)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w && !(w->agents = flow_new(sizeof(struct agent), AGENTS, ALL_BYTES, on_finish, w))) {
		free(w);
		return NULL;
	}
	return w;
}

void
work_free(struct work *w)
{
	flow_free(w->agents);
	free(w);
}

void
work_clear(struct work *w)
{
	flow_finish_all(w->agents, FLOW_END);
}

/* --- arguments -------------------------------------------------------------------- */

static bool
is_command(struct value key)
{
	static const char *const keys[] = { "command", "cmd", "commands", "script", "code",
	    "shell_command", "bash_command",
		"command_line", "commandLine", "input", "chars", "args" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (value_eq(key, keys[i]))
			return true;
	return false;
}

static void
add_string(struct tool *t, struct event *ev, struct value v, bool command)
{
	size_t n;
	const char *p = value_str(&ev->arena, v, &n);
	char *more;

	if (!p || n < 2 || t->n == STRINGS || n > BYTES - t->bytes ||
	    !(more = realloc(t->text, t->bytes + n)))
		return;
	t->text = more;
	memcpy(more + t->bytes, p, n);
	t->string[t->n++] = (struct string){ t->bytes, n, command };
	t->bytes += n;
}

static void
add_strings(struct tool *t, struct event *ev, struct value v, bool command, int depth)
{
	struct value_iter it;
	struct value k, e;

	if (v.kind == VALUE_STRING)
		add_string(t, ev, v, command);
	if ((v.kind != VALUE_ARRAY && v.kind != VALUE_OBJECT) || depth == DEPTH)
		return;
	value_iter(&it, v);
	while (value_next(&it, &k, &e))
		add_strings(t, ev, e, v.kind == VALUE_OBJECT ? is_command(k) : command, depth + 1);
}

void
work_requested(struct work *w, int64_t agent, int64_t id, uint64_t from_ns, struct event *ev,
    struct value arguments)
{
	struct agent *a = flow_get(w->agents, &agent, sizeof(agent), 0);
	struct tool *t = calloc(1, sizeof(*t)), **more;

	for (size_t i = 0; a && i < a->n;) {
		bool old = a->tool[i]->to_ns && a->tool[i]->to_ns + KEPT_NS < from_ns;

		old || a->n >= TOOLS ? tool_free(a, i) : (void)i++;
	}
	if (!a || !t || !(more = realloc(a->tool, (a->n + 1) * sizeof(*a->tool)))) {
		free(t);
		return;
	}
	a->tool = more;
	a->tool[a->n++] = t;
	t->id = id;
	t->from_ns = from_ns;
	add_strings(t, ev, arguments, arguments.kind == VALUE_STRING, 0);
}

void
work_move(struct work *w, int64_t from, int64_t to, int64_t tool)
{
	struct agent *b = flow_get(w->agents, &to, sizeof(to), 0),
	    *a = flow_find(w->agents, &from, sizeof(from), 0);
	struct tool **more;

	for (size_t i = 0; a && b && i < a->n; i++) {
		if (a->tool[i]->id != tool)
			continue;
		if (!(more = realloc(b->tool, (b->n + 1) * sizeof(*b->tool))))
			return;
		b->tool = more;
		b->tool[b->n++] = a->tool[i];
		memmove(a->tool + i, a->tool + i + 1, (--a->n - i) * sizeof(*a->tool));
		return;
	}
}

void
work_responded(struct work *w, int64_t agent, int64_t id, uint64_t to_ns)
{
	struct agent *a = flow_find(w->agents, &agent, sizeof(agent), 0);

	for (size_t i = 0; a && i < a->n; i++)
		if (a->tool[i]->id == id)
			a->tool[i]->to_ns = to_ns;
}

/* --- programs ----------------------------------------------------------------------- */

static bool
has(const char *p, size_t n, const char *part, size_t m)
{
	return memmem(p, n, part, m) != NULL;
}

/* A word or words of a command: what stands around it does not belong to a word. */
static bool
has_words(const char *p, size_t n, const char *part, size_t m)
{
	for (const char *at = p; (at = memmem(at, p + n - at, part, m)); at++)
		if ((at == p || strchr(" ;|&(\n'\"=/", at[-1])) &&
		    (at + m == p + n || strchr(" ;|&)\n'\"<>", at[m])))
			return true;
	return false;
}

/* How well a command fits the arguments: 3, a command of theirs is in it; 2, all that they
 * say is; 1, it is one of the commands of a script; 0, not at all. */
static int
fits(const struct tool *t, const char *command, size_t n)
{
	bool all = t->n > 0, part = false;
	size_t longest = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct string *s = &t->string[i];
		const char *text = t->text + s->at;
		bool in = has(command, n, text, s->n);

		/* what has blanks and is an argument as it stands: the prompt of a sub-agent */
		if (in && (s->command ? s->n > 3 :
		    s->n > 11 && memchr(text, ' ', s->n) && has_words(command, n, text, s->n)))
			return 3;
		all &= in;
		part |= s->command && n > 3 && has_words(text, s->n, command, n);
		longest = s->n > longest ? s->n : longest;
	}
	return all && longest > 3 ? 2 : part ? 1 : 0;
}

/* The text with '\'' for ' in it as it was before a shell quoted it; NULL: there is none. */
static char *
unquoted(const char *p, size_t *n)
{
	char *to, *at;

	if (!has(p, *n, "'\\''", 4) || !(to = malloc(*n)))
		return NULL;
	at = to;
	for (const char *end = p + *n; p < end; p++) {
		*at++ = *p;
		if (end - p >= 4 && !memcmp(p, "'\\''", 4))
			p += 3;
	}
	*n = at - to;
	return to;
}

int64_t
work_find(struct work *w, int64_t agent, uint64_t ns, uint64_t parent_ns, const char *command,
    size_t n, enum work_fit least)
{
	struct agent *a = flow_find(w->agents, &agent, sizeof(agent), 0);
	size_t plain_n = n;
	char *plain = a && a->n ? unquoted(command, &plain_n) : NULL;
	struct tool *best = NULL;
	int most = 0;

	for (size_t i = 0; a && i < a->n; i++) {
		struct tool *t = a->tool[i];
		int fit, other;

		if (ns < t->from_ns || (t->to_ns && ns > t->to_ns) || parent_ns > t->from_ns)
			continue;
		fit = fits(t, command, n);
		if (plain && fit < 3 && (other = fits(t, plain, plain_n)) > fit)
			fit = other;
		if (fit < (int)least)
			continue;
		if (fit > most || (fit && fit == most && t->programs < best->programs)) {
			most = fit;
			best = t;
		}
	}
	free(plain);
	if (!best)
		return 0;
	best->programs++;
	return best->id;
}
