/*
 * bash.c - bash.readline: what is typed into an interactive bash
 *
 * reads   the result of readline(), in every bash that has the symbol
 * keeps   which files were looked at
 */
#include <bpf/libbpf.h>
#include <err.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emit.h"
#include "kernel.h"
#include "proc.h"
#include "apart.h"
#include "caps.h"
#include "self.h"
#include "process/process.skel.h"

enum { BASHES = 64 };

struct bash {
	size_t n;
	struct bash_file {
		dev_t dev;
		ino_t ino;
		int fd;			/* of a uprobe_multi link; -1: none */
		struct bpf_link *link;	/* of a perf uprobe */
	} v[BASHES];
};

static bool
multi(const struct bpf_program *prog)
{
	return bpf_program__expected_attach_type(prog) == (enum bpf_attach_type)KERNEL_UPROBE_MULTI;
}

void
bash_prepare(struct process *s)
{
	if (probe_can_multi())
		bpf_program__set_expected_attach_type(s->bpf->progs.on_readline,
		    (enum bpf_attach_type)KERNEL_UPROBE_MULTI);
}

/* Where in an ELF file a function of this name begins; 0: nowhere. */
static uint64_t
function_in(Elf *e, const char *name)
{
	GElf_Shdr sh;
	GElf_Sym sym;
	GElf_Phdr ph;
	size_t phdrs;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(e, scn)); ) {
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) ||
		    (sh.sh_type != SHT_DYNSYM && sh.sh_type != SHT_SYMTAB) ||
		    !(d = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; gelf_getsym(d, i, &sym); i++) {
			const char *is = elf_strptr(e, sh.sh_link, sym.st_name);

			if (!is || strcmp(is, name) || !sym.st_value || elf_getphdrnum(e, &phdrs))
				continue;
			for (size_t k = 0; k < phdrs; k++)
				if (gelf_getphdr(e, k, &ph) && ph.p_type == PT_LOAD &&
				    ph.p_flags & PF_X &&
				    sym.st_value >= ph.p_vaddr &&
				    sym.st_value - ph.p_vaddr < ph.p_filesz)
					return sym.st_value - ph.p_vaddr + ph.p_offset;
		}
	}
	return 0;
}

/* The child's part: libelf reads what whoever calls his program bash has put there. */
static void
look(int fd, int to)
{
	Elf *e = elf_version(EV_CURRENT) != EV_NONE ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
	uint64_t at = e ? function_in(e, "readline") : 0;

	apart_say(to, &at, sizeof(at));
}

static uint64_t
offset_of_readline(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t at = 0;
	struct apart a;

	if (fd < 0)
		return 0;
	if (apart_begin(&a, fd, look, sizeof(at), caps_uid()) == 0) {
		apart_wait(&a, -1);
		if (!apart_end(&a) && a.n == sizeof(at))
			memcpy(&at, a.said, sizeof(at));
		apart_free(&a);
	}
	if (at && !apart_is_run(fd, at, NULL))
		at = 0;
	close(fd);
	return at;
}

/* By a uprobe_multi link where there are such: it does not need CAP_SYS_ADMIN,
 * which we have given up when a bash comes later. */
static bool
attach_readline(struct process *s, const char *path, struct bash_file *f)
{
	LIBBPF_OPTS(bpf_uprobe_opts, o, .retprobe = true);
	uint64_t at = offset_of_readline(path), cookie = 0;
	struct bpf_program *prog = s->bpf->progs.on_readline;

	if (at && multi(prog))
		f->fd = kernel_uprobe_multi(bpf_program__fd(prog), path, &at, &cookie, 1,
		    KERNEL_UPROBE_MULTI_RETURN);
	else if (at)
		f->link = bpf_program__attach_uprobe_opts(prog, -1, path, at, &o);
	return f->fd >= 0 || f->link;
}

static void
attach(struct process *s, const char *path)
{
	struct bash *b = s->bash;
	struct stat st;

	if (b->n == BASHES || stat(path, &st))
		return;
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].dev == st.st_dev && b->v[i].ino == st.st_ino)
			return;
	b->v[b->n] = (struct bash_file){ .dev = st.st_dev, .ino = st.st_ino, .fd = -1 };
	probe_note(&s->probe,
	    attach_readline(s, path, &b->v[b->n++]) ? "attached to readline in %s" :
	    "no readline in %s", path);
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

	if (!emit_begin(s, &j, "bash.readline", &r->head, 1, 0))
		return;
	jput_bytes(&j, "command", t->s[STR_BASE].p, t->s[STR_BASE].n);
	if (r->flags & EVENT_CUT)
		jput_bool(&j, "truncated", true);
	jput_close(&j);
}

void
bash_close(struct process *s)
{
	for (size_t i = 0; s->bash && i < s->bash->n; i++) {
		if (s->bash->v[i].fd >= 0)
			close(s->bash->v[i].fd);
		else
			bpf_link__destroy(s->bash->v[i].link);
	}
	free(s->bash);
	s->bash = NULL;
}
