/*
 * bash.c - bash.readline: what is typed into an interactive bash
 *
 * reads   the result of readline(), in every bash that has the symbol
 * keeps   which files were looked at
 */
#include <bpf/libbpf.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc.h"
#include "self.h"
#include "process/process.skel.h"

enum { BASHES = 64 };

struct bash {
	size_t n;
	struct {
		dev_t dev;
		ino_t ino;
		struct bpf_link *link;	/* NULL: it has no such symbol */
	} v[BASHES];
};

static void
attach(struct process *s, const char *path)
{
	LIBBPF_OPTS(bpf_uprobe_opts, o, .func_name = "readline", .retprobe = true);
	struct bash *b = s->bash;
	struct stat st;

	if (b->n == BASHES || stat(path, &st))
		return;
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].dev == st.st_dev && b->v[i].ino == st.st_ino)
			return;
	b->v[b->n].dev = st.st_dev;
	b->v[b->n].ino = st.st_ino;
	b->v[b->n].link = bpf_program__attach_uprobe_opts(s->bpf->progs.on_readline, -1, path, 0, &o);
	probe_note(&s->probe, b->v[b->n].link ? "attached to readline in %s" :
	    "no readline in %s", path);
	b->n++;
}

static bool
is_bash(struct text path)
{
	size_t dir = path_dir(path.p, path.n) + 1;

	return path.n >= dir + 4 && memcmp(path.p + dir, "bash", 4) == 0;
}

static bool
attach_process(void *arg, int pid)
{
	struct process *s = arg;
	char link[64], exe[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, exe, sizeof(exe));
	if (n > 0 && is_bash((struct text){ exe, n }))
		attach(s, link);
	return false;
}

void
bash_start(struct process *s)
{
	static const char *const usual[] = {
		"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash",
	};

	s->bash = calloc(1, sizeof(*s->bash));
	if (!s->bash)
		err(1, "memory");
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		attach(s, usual[i]);
	proc_each(attach_process, s);
}

void
bash_exec(struct process *s, const struct event_record *r, struct text exe)
{
	char link[64];

	if (!s->bash || !is_bash(exe))
		return;
	snprintf(link, sizeof(link), "/proc/%u/exe", r->head.pid);
	attach(s, link);
}

void
bash_line(struct process *s, const struct event_record *r, const struct strings *t)
{
	struct jput j;

	if (!line_begin(s, &j, "bash.readline", &r->head, 1, 0))
		return;
	jput_bytes(&j, "command", t->s[STR_BASE].p, t->s[STR_BASE].n);
	if (r->flags & EVENT_CUT)
		jput_bool(&j, "truncated", true);
	jput_close(&j);
}

void
bash_close(struct process *s)
{
	for (size_t i = 0; s->bash && i < s->bash->n; i++)
		bpf_link__destroy(s->bash->v[i].link);
	free(s->bash);
	s->bash = NULL;
}
