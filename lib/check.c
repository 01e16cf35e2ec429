/*
 * check.c - see check.h
 *
 * reads   what a child process for each set of options says on stderr
 * writes  what is refused, once for all sets that it is refused with
 */
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "opt.h"
#include "probe.h"

enum { WORDS = 256, SETS = 64, CHOICES = 9, SET_SIZE = 4096, ANSWER = 1024 };

struct sets {
	struct check_set {
		char options[SET_SIZE];
		char answer[ANSWER];	/* the last line on stderr, without the tool's name */
		int status;
	} *by;
	size_t n;
};

/* --- the sets -------------------------------------------------------------------- */

static void
add(struct sets *s, const char *first, const char *second)
{
	if (s->n == SETS)
		errx(1, "more than %d sets of options", SETS);
	snprintf(s->by[s->n++].options, SET_SIZE, "%s%s%s", first, *first && *second ? " " : "",
	    second);
}

static void
append(char *to, const char *word)
{
	size_t n = strlen(to);

	snprintf(to + n, SET_SIZE - n, "%s%s", n ? " " : "", word);
}

/* Whether --cgroup can be used here at all. */
static bool
has_cgroups(void)
{
	struct target t = { 0 };
	const char *root = "/";

	t.cgroups = (struct opt_list){ &root, 1 };
	return !target_parse(&t);
}

/* n of each way to choose processes. */
static void
choose_all(char *to, int n)
{
	bool cgroups = has_cgroups();
	char words[128];

	for (int i = 0; i < n; i++) {
		snprintf(words, sizeof(words), "-p %d -c name%d -u %d --session %d%s", getpid(), i,
		    i,
		    i + 1, cgroups ? " --cgroup /" : "");
		append(to, words);
	}
}

/* Every way to choose processes; the last two have all of them. */
static size_t
choices(char (*to)[SET_SIZE])
{
	size_t n = 0;

	memset(to, 0, CHOICES * sizeof(*to));
	n++;					/* the whole system */
	snprintf(to[n++], SET_SIZE, "-p %d", getpid());
	snprintf(to[n++], SET_SIZE, "-p %d --no-children", getpid());
	snprintf(to[n++], SET_SIZE, "-c name");
	snprintf(to[n++], SET_SIZE, "-u 0");
	snprintf(to[n++], SET_SIZE, "--session 1");
	if (has_cgroups())
		snprintf(to[n++], SET_SIZE, "--cgroup /");
	choose_all(to[n++], 1);
	choose_all(to[n++], TARGET_LIST);
	return n;
}

/* The tool's own options, each set with the whole system and with all ways to choose.
 * As many choices as are allowed take the verifier seconds: just with the last. */
static void
combine(struct sets *s, const char *const *own)
{
	static char choice[CHOICES][SET_SIZE];
	size_t n = choices(choice);

	for (size_t i = 0; i < n; i++)
		add(s, choice[i], "");
	for (; *own; own++) {
		add(s, "", *own);
		add(s, choice[n - 2], *own);
		if (!own[1])
			add(s, choice[n - 1], *own);
	}
}

/* --- a set ----------------------------------------------------------------------- */

static _Noreturn void
try_here(struct probe *p, const struct check *c, void *self, char *options)
{
	char *argv[WORDS] = { (char *)p->name }, *save = NULL;
	int argc = 1;

	for (char *w = strtok_r(options, " ", &save); w && argc < WORDS - 1;
	    w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	optind = 0;		/* for getopt_long to begin anew */
	opt_parse(c->use, argc, argv);
	p->output = NULL;
	c->start(self);
	exit(0);
}

/* Keeps the last line; with -v passes everything on. */
static void
listen_to(struct check_set *set, const struct probe *p, int fd)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	const char *name = program_invocation_short_name;	/* as err(3) says it */
	size_t size = 0, skip = strlen(name) + 2;
	ssize_t n;

	if (!f)
		err(1, "read from a child");
	while ((n = getline(&line, &size, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (p->verbose)
			fprintf(stderr, "    %s\n", line);
		if (strncmp(line, name, strlen(name)) == 0 && (size_t)n > skip)
			snprintf(set->answer, sizeof(set->answer), "%s", line + skip);
	}
	free(line);
	fclose(f);
}

static void
try(struct probe *p, const struct check *c, void *self, struct check_set *set)
{
	char options[SET_SIZE];
	int pipes[2], status;
	pid_t pid;

	if (p->verbose)
		fprintf(stderr, "%s %s\n", p->name, set->options);
	fflush(NULL);
	if (pipe(pipes) || (pid = fork()) < 0)
		err(1, "start a child");
	if (!pid) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		memcpy(options, set->options, sizeof(options));
		try_here(p, c, self, options);
	}
	close(pipes[1]);
	listen_to(set, p, pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	set->status = status;
	if (WIFSIGNALED(status))
		snprintf(set->answer, sizeof(set->answer), "the child was ended by %s",
		    strsignal(WTERMSIG(status)));
}

/* --- the answer ------------------------------------------------------------------ */

static size_t
alike(const struct sets *s, const struct check_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->by[i].status && !strcmp(s->by[i].answer, set->answer);
	return n;
}

/* Each answer once, where it came first. */
static size_t
say_refused(const struct sets *s)
{
	size_t refused = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct check_set *set = &s->by[i];
		size_t n = alike(s, set), first = 0;

		if (!set->status)
			continue;
		refused++;
		while (!s->by[first].status || strcmp(s->by[first].answer, set->answer))
			first++;
		if (first < i)
			continue;
		if (n == s->n)
			warnx("%s", set->answer);
		else
			warnx("%s [with %zu of %zu sets of options, as %s]", set->answer, n, s->n,
			    *set->options ? set->options : "none");
	}
	return refused;
}

/* What the kernel has, if it tells us anything at all. */
static void
say_features(void)
{
	static const struct { const char *name; bool map; int id; const char *since; } all[] = {
		{ "ring buffers", true, BPF_MAP_TYPE_RINGBUF, "5.8" },
		{ "task storage", true, BPF_MAP_TYPE_TASK_STORAGE, "5.11" },
		{ "bpf_loop", false, BPF_FUNC_loop, "5.17" },
	};
	struct utsname u;

	if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_ARRAY, NULL) != 1)
		return;
	uname(&u);
	printf("Linux %s:", u.release);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		bool has = all[i].map ? libbpf_probe_bpf_map_type(all[i].id, NULL) == 1 :
		    libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, all[i].id, NULL) == 1;

		printf("%s %s", i ? "," : "", all[i].name);
		if (!has)
			printf(" MISSING (new in Linux %s)", all[i].since);
	}
	printf("%s%s\n", probe_can_sleep() ? ", sleeping uprobe programs" : "",
	    probe_can_multi() ? ", uprobe_multi links" : "");
}

int
check_run(struct probe *p, const struct check *c, void *self)
{
	static struct sets s;
	size_t refused;

	s.by = calloc(SETS, sizeof(*s.by));
	if (!s.by)
		err(1, "memory");
	load_listen(false);
	say_features();
	combine(&s, c->sets);
	for (size_t i = 0; i < s.n; i++)
		try(p, c, self, &s.by[i]);
	refused = say_refused(&s);
	if (!refused)
		printf("all BPF programs load, with each of %zu sets of options\n", s.n);
	else if (refused < s.n)
		warnx("BPF programs load with %zu of %zu sets of options", s.n - refused, s.n);
	free(s.by);
	return refused ? 1 : 0;
}
