/*
 * load.c - see load.h
 *
 * The log of level 4 (BPF_LOG_STATS, include/linux/bpf_verifier.h) has the
 * verifier's complaint and its figures, but not the long way to them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { LOG_STATS = 4, LOG_SIZE = 64 << 10, CODE_SIZE = 1 << 20 };

/* The first warning of libbpf since the load began: what follows it is but "failed". */
static struct {
	bool verbose;
	char first[LOAD_WHY];
} said;

static int
listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static const char tag[] = "libbpf: ";
	char text[LOAD_WHY];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (level == LIBBPF_WARN && !said.first[0]) {
		const char *words = text;

		if (strncmp(words, tag, strlen(tag)) == 0)
			words += strlen(tag);
		snprintf(said.first, sizeof(said.first), "%.*s", (int)strcspn(words, "\n"), words);
	}
	return said.verbose ? fputs(text, stderr) : 0;
}

void
load_listen(bool verbose)
{
	said.verbose = verbose;
	libbpf_set_print(listen);
}

/* Lines of print_verification_stats in kernel/bpf/verifier.c. */
static bool
is_figure(const char *line)
{
	static const char *const begin[] = {
		"verification time ", "stack depth ", "subprog ", "processed ",
	};

	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (strncmp(line, begin[i], strlen(begin[i])) == 0)
			return true;
	return false;
}

void
load_last_words(const char *log, char *why, size_t size)
{
	why[0] = '\0';
	for (const char *line = log, *end; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		if (end > line && !is_figure(line))
			snprintf(why, size, "%.*s", (int)(end - line), line);
	}
}

/* Of the machine code of x86-64: where emit_priv_frame_ptr (arch/x86/net/bpf_jit_comp.c)
 * makes a frame pointer by adding the CPU's offset, once for each such function. */
static int
private_frames(int fd)
{
	static const unsigned char add_gs[] = { 0x65, 0x4c, 0x03, 0x0c, 0x25 };
	unsigned char *code = malloc(CODE_SIZE);
	struct bpf_prog_info info = {
		.jited_prog_insns = (unsigned long)code, .jited_prog_len = CODE_SIZE,
	};
	__u32 len = sizeof(info);
	int n = -1;

	if (code && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.jited_prog_insns &&
	    info.jited_prog_len && info.jited_prog_len <= CODE_SIZE) {
		n = 0;
		for (size_t i = 0; i + sizeof(add_gs) < info.jited_prog_len; i++)
			n += !memcmp(code + i, add_gs, sizeof(add_gs));
	}
	free(code);
	return n;
}

/* The frames of each function, "8+24": since Linux 7.3 they stand in lines of their own. */
static void
frames_of(const char *log, char *to, size_t size)
{
	const char *depth = strstr(log, "stack depth ");
	size_t n = 0;

	to[0] = '\0';
	if (!depth)
		return;
	depth += strlen("stack depth ");
	if (*depth != 'm') {
		snprintf(to, size, "%.*s", (int)strspn(depth, "0123456789+"), depth);
		return;
	}
	while ((depth = strstr(depth, "\nsubprog ")) && n < size) {
		const char *frame = strstr(++depth, " stack ");

		if (frame)
			n += snprintf(to + n, size - n, "%s%d", n ? "+" : "",
			    atoi(frame + strlen(" stack ")));
	}
}

static void
report_frames(const struct bpf_program *p, const char *log,
    void (*report)(const char *, const char *, int))
{
	char frames[128];

	frames_of(log, frames, sizeof(frames));
	report(bpf_program__name(p), frames, private_frames(bpf_program__fd(p)));
}

static void
refused(struct load *l, struct bpf_object *o, const char *logs)
{
	struct bpf_program *p;
	size_t i = 0;

	memset(l, 0, sizeof(*l));
	bpf_object__for_each_program(p, o) {
		const char *log = logs + i++ * LOG_SIZE;

		/* those before it have logs too, of figures alone */
		load_last_words(log, l->why, sizeof(l->why));
		if (!l->why[0])
			continue;
		snprintf(l->program, sizeof(l->program), "%s", bpf_program__name(p));
		return;
	}
	snprintf(l->why, sizeof(l->why), "%s", said.first);
}

int
load_object(struct load *l, struct bpf_object_skeleton *s,
    void (*report)(const char *program, const char *frames, int private))
{
	struct bpf_object *o = *s->obj;
	struct bpf_program *p;
	size_t n = 0, i = 0;
	char *logs;
	int e;

	bpf_object__for_each_program(p, o)
		n++;
	logs = calloc(n, LOG_SIZE);
	if (!logs)
		return -1;
	bpf_object__for_each_program(p, o) {
		bpf_program__set_log_level(p, LOG_STATS);
		bpf_program__set_log_buf(p, logs + i++ * LOG_SIZE, LOG_SIZE);
	}
	said.first[0] = '\0';
	e = bpf_object__load_skeleton(s) ? errno : 0;
	if (e)
		refused(l, o, logs);
	i = 0;
	bpf_object__for_each_program(p, o) {
		if (!e && report && bpf_program__fd(p) >= 0)
			report_frames(p, logs + i * LOG_SIZE, report);
		i++;
	}
	free(logs);
	errno = e;
	return e ? -1 : 0;
}
