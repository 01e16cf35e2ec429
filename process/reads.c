/*
 * reads.c - file.read, and file.open of files that were opened for reading only
 *
 * A program reads more files than it changes by far, and many read the same: what the
 * chosen processes read of one file is counted for --window and, while it goes on, for
 * twice as long each time. Files that they made themselves are recorded as made: when
 * more than one of a directory is read in that time, they are counted together.
 *
 * keeps   files that were read in that time, at most READS; the last MADE that were made
 */
#include <err.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "flow.h"
#include "self.h"

enum { READS = 16384, PIDS = 32, MADE = 65536 };
enum { LONGEST = 64 };	/* windows */

/* What reads have in common that are counted together; path and root behind it. */
struct read_key {
	uint32_t uid, mnt_ns, path;	/* path: its length, the rest is the root */
	uint32_t marks;			/* FD_CUT, FD_DELETED, FD_MADE: path is a directory */
	char text[];
};

/* A file that an observed process made. */
struct made {
	uint64_t stamp;			/* of the group that counted it last */
};

struct made_key {
	uint32_t mnt_ns;
	char path[PATH_TEXT];
};

struct read_group {
	struct read_group *next, **back;	/* all of them */
	struct reading sum;		/* not written yet */
	uint64_t begin, window;		/* boot time */
	uint32_t pids[PIDS], npids;	/* who: of the sum */
	bool more;			/* there were more than that */
	/* of files that were made */
	uint64_t stamp, files;
	struct text one;		/* path of the first; allocated */
};

static void
put_path(struct jput *j, struct process *s, const struct read_key *k, size_t n,
    const struct read_group *g)
{
	size_t root = n - sizeof(*k) - k->path;

	if (k->marks & FD_MADE && g->files == 1)
		jput_bytes(j, "path", g->one.p, g->one.n);
	else
		jput_bytes(j, "path", k->path ? k->text : "/", k->path ? k->path : 1);
	if (g->files > 1)
		jput_uint(j, "files", g->files);
	if (root)
		jput_bytes(j, "root", k->text + k->path, root);
	emit_mnt_ns(s, j, k->mnt_ns);
	if (k->marks & FD_CUT)
		jput_bool(j, "truncated", true);
	if (k->marks & FD_DELETED)
		jput_bool(j, "deleted", true);
}

/* A file that was opened and not read is emitted as opened, for it may have been mapped. */
static void
write_group(struct process *s, const struct read_key *k, size_t n, const struct read_group *g)
{
	const struct reading *sum = &g->sum;
	struct jput j;

	if (!emit_begin(s, &j, sum->calls ? "file.read" : "file.open", &sum->head,
	    sum->calls + sum->opens, sum->bytes))
		return;
	put_path(&j, s, k, n, g);
	if (!sum->calls) {
		jput_uint(&j, "flags", sum->flags);
		jput_array(&j, "mode");
		jput_str(&j, NULL, "read");
		jput_array_end(&j);
	}
	jput_uint(&j, "fd", sum->fd);
	if (sum->calls)
		jput_uint(&j, "bytes", sum->bytes);
	jput_uint(&j, "count", sum->calls ? sum->calls : sum->opens);
	if (sum->calls && sum->opens)
		jput_uint(&j, "opens", sum->opens);
	if (sum->calls || sum->last > sum->head.time)
		jput_uint(&j, "last_ns", clock_epoch(&s->probe.clock, sum->last));
	if (g->npids > 1) {
		jput_array(&j, "pids");
		for (uint32_t i = 0; i < g->npids; i++)
			jput_uint(&j, NULL, g->pids[i]);
		jput_array_end(&j);
		if (g->more)
			jput_bool(&j, "more_pids", true);
	}
	jput_close(&j);
}

static void
clear(struct read_group *g)
{
	memset(&g->sum, 0, sizeof(g->sum));
	g->npids = 0;
	g->more = false;
	g->files = 0;
	free((char *)g->one.p);
	g->one = (struct text){ NULL, 0 };
}

static void
finish(void *arg, void *entry, enum flow_why why)
{
	struct read_group *g = entry;
	size_t n;
	const struct read_key *k = flow_key(entry, &n);

	(void)why;
	if (g->sum.opens || g->sum.calls)
		write_group(arg, k, n, g);
	if (g->back && (*g->back = g->next))
		g->next->back = g->back;
	free((char *)g->one.p);
}

static void
add_pid(struct read_group *g, uint32_t pid)
{
	for (uint32_t i = 0; i < g->npids; i++)
		if (g->pids[i] == pid)
			return;
	if (g->npids < PIDS)
		g->pids[g->npids++] = pid;
	else
		g->more = true;
}

static void
add(struct read_group *g, const struct reading *r)
{
	if (!g->sum.opens && !g->sum.calls) {
		g->sum = *r;
	} else {
		g->sum.opens += r->opens;
		g->sum.calls += r->calls;
		g->sum.bytes += r->bytes;
		if (r->last > g->sum.last)
			g->sum.last = r->last;
	}
	add_pid(g, r->head.pid);
}

static struct read_group *
group_new(struct process *s, const struct read_key *k, size_t n)
{
	struct read_group *g = flow_get(s->reads, k, n, 0);

	if (!g)
		err(1, "memory");
	g->back = &s->read_groups;
	if ((g->next = s->read_groups))
		g->next->back = &g->next;
	s->read_groups = g;
	return g;
}

/* --- files that were made ------------------------------------------------------------ */

static void
forget(void *arg, void *entry, enum flow_why why)
{
	(void)arg, (void)entry, (void)why;
}

static struct made *
made_of(struct process *s, uint32_t mnt_ns, struct text path, bool add)
{
	static struct made_key k;
	size_t n = offsetof(struct made_key, path) + path.n;

	k.mnt_ns = mnt_ns;
	memcpy(k.path, path.p, path.n);
	return add ? flow_get(s->made, &k, n, 0) : flow_find(s->made, &k, n, 0);
}

void
reads_made(struct process *s, uint32_t mnt_ns, struct text path)
{
	if (!s->no_reads)
		made_of(s, mnt_ns, path, true);
}

void
reads_renamed(struct process *s, uint32_t mnt_ns, struct text from, struct text to)
{
	if (!s->no_reads && made_of(s, mnt_ns, from, false))
		made_of(s, mnt_ns, to, true);
}

/* A file that was made is among those that the group counts. */
static void
count_file(struct process *s, struct read_group *g, struct made *m, struct text path)
{
	if (!g->files) {
		g->stamp = ++s->read_stamp;
		g->one.p = malloc(path.n + 1);
		if (!g->one.p)
			err(1, "memory");
		memcpy((char *)g->one.p, path.p, path.n);
		g->one.n = path.n;
	}
	g->files += m->stamp != g->stamp;
	m->stamp = g->stamp;
}

/* --- reads ----------------------------------------------------------------------------- */

void
reads_add(struct process *s, const struct reading *r, struct text path, struct text root)
{
	static _Alignas(8) char room[sizeof(struct read_key) + 2 * PATH_TEXT];
	struct read_key *k = (void *)room;
	struct made *m = s->window ? made_of(s, r->mnt_ns, path, false) : NULL;
	struct read_group *g, alone = { 0 };
	size_t n;

	*k = (struct read_key){ .uid = r->head.uid, .mnt_ns = r->mnt_ns, .marks = r->marks,
	    .path = m ? path_dir(path.p, path.n) : path.n };
	if (m)
		k->marks |= FD_MADE;
	memcpy(k->text, path.p, k->path);
	memcpy(k->text + k->path, root.p, root.n);
	n = sizeof(*k) + k->path + root.n;
	if (!s->window) {
		add(&alone, r);
		write_group(s, k, n, &alone);
		return;
	}
	g = flow_find(s->reads, k, n, 0);
	if (!g) {
		g = group_new(s, k, n);
		g->begin = clock_boot();
		g->window = s->window;
	}
	add(g, r);
	if (m)
		count_file(s, g, m, path);
}

void
reads_tick(struct process *s, bool all)
{
	uint64_t now = clock_boot();
	struct read_group *next;

	if (!s->reads) {
		s->reads = flow_new(sizeof(struct read_group), READS, SIZE_MAX, finish, s);
		s->made = flow_new(sizeof(struct made), MADE, SIZE_MAX, forget, NULL);
		if (!s->reads || !s->made)
			err(1, "memory");
	}
	if (!all && now < s->reads_next)
		return;
	s->reads_next = now + s->window / 2;
	for (struct read_group *g = s->read_groups; g; g = next) {
		bool busy = g->sum.opens || g->sum.calls;
		const struct read_key *k;
		size_t n;

		next = g->next;
		if (!all && now - g->begin < g->window)
			continue;
		if (!busy || all) {
			flow_drop(s->reads, g, FLOW_IDLE);
			continue;
		}
		k = flow_key(g, &n);
		write_group(s, k, n, g);
		clear(g);
		g->begin = now;
		if (g->window < LONGEST * s->window)
			g->window *= 2;
	}
}
