/*
 * inspect.c - runs every finder on one file; see inspect.h
 */
#include "inspect.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf.h"
#include "find.h"
#include "find_code.h"
#include "jput.h"
#include "show.h"

/* --- one file ------------------------------------------------------------------- */

static void
read_identity(struct found *f, const struct elf *e)
{
	size_t n = e->build_id_len < 31 ? e->build_id_len : 31;

	snprintf(f->kind, sizeof(f->kind), "%s", elf_kind_name(e));
	for (size_t i = 0; i < n; i++)
		snprintf(f->build_id + 2 * i, 3, "%02x", e->build_id[i]);
}

static void
run_finders(struct found *f, const struct elf *e)
{
	struct scan *scan = malloc(sizeof(*scan));

	if (!scan) {
		f->failed = true;
		return;
	}
	find_symbols(e, f);
	scan_file(scan, e);
	find_boring(e, scan, f);
	find_openssl(e, scan, f);
	find_rustls(e, scan, f);
	find_go(e, scan, f);
	free(scan);
}

void
inspect_image(struct found *f, const void *p, size_t n)
{
	struct elf e;
	const char *why = elf_open(&e, p, n);

	memset(f, 0, sizeof(*f));
	if (why) {
		found_refuse(f, LIB_MAX, "%s", why);
		return;
	}
	read_identity(f, &e);
	run_finders(f, &e);
}

/* --- the map ------------------------------------------------------------------------ */

/*
 * Only what a file really has is mapped, over zeros that cost nothing: one of 4 KB can
 * claim to be of 200 GB. A mapped file that somebody truncates raises SIGBUS on the
 * next read. The handler puts an empty page there and notes it; what was found is
 * thrown away.
 */
enum { PIECES = 1024 };		/* of a file, with holes between */

struct piece {
	uint64_t from, to;
};

static __thread struct {
	uint8_t *p;
	size_t n;
	volatile sig_atomic_t hit;
} mapped;

static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;

	(void)context;
	if (mapped.p && (uintptr_t)info->si_addr - (uintptr_t)mapped.p < mapped.n &&
	    mmap((void *)page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	    0) != MAP_FAILED) {
		mapped.hit = 1;
		return;
	}
	signal(sig, SIG_DFL);	/* not ours: happens again, and ends the process */
}

/* Where the file has data, by whole pages; NULL, or why it is not looked at. *count: how
 * many. On file systems that know no holes all is one piece. */
static const char *
find_pieces(int fd, uint64_t size, struct piece v[PIECES], size_t *count)
{
	uint64_t sum = 0;
	off_t from, to = 0;

	for (*count = 0; (uint64_t)to < size; (*count)++) {
		from = lseek(fd, to, SEEK_DATA);
		if (from < 0 && errno == ENXIO)
			break;
		if (from < 0 || (to = lseek(fd, from, SEEK_HOLE)) < 0)
			return "where it has data cannot be told";
		if (*count == PIECES)
			return "it has more holes than are looked between";
		v[*count].from = from & ~4095ull;
		v[*count].to = ((uint64_t)to < size ? (uint64_t)to : size);
		sum += v[*count].to - v[*count].from;
		if (sum > INSPECT_BYTES)
			return "it has more than 384 MiB of data";
	}
	return NULL;
}

static int
map_pieces(int fd, const struct piece *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		/* shared, though only read: into private mappings of a file the kernel
		 * puts the breakpoints of whoever probes it now */
		if (mmap(mapped.p + v[i].from, v[i].to - v[i].from, PROT_READ,
		    MAP_SHARED | MAP_FIXED, fd,
		    v[i].from) == MAP_FAILED)
			return -1;
	return 0;
}

/* Behind its last data a segment is not looked at: there is nothing. */
static void
trim_segments(struct elf *e, const struct piece *v, size_t n)
{
	for (unsigned i = 0; i < e->nseg; i++) {
		struct elf_seg *s = &e->seg[i];
		uint64_t end = s->off;

		for (size_t k = 0; k < n; k++)
			if (v[k].from < s->off + s->size && v[k].to > end)
				end = v[k].to;
		if (end - s->off < s->size)
			s->size = end - s->off;
	}
}

/* Has the kernel fetch what will be scanned in large pieces: a program that starts
 * has few of its pages in memory yet. */
static void
read_ahead(const struct elf *e)
{
	for (unsigned i = 0; i < e->nseg; i++) {
		const struct elf_seg *s = &e->seg[i];
		uint64_t from = s->off & ~4095ull;

		if (!s->write || s->exec)
			madvise(mapped.p + from, s->off + s->size - from, MADV_WILLNEED);
	}
}

static void
inspect_mapped(struct found *f, const struct piece *v, size_t n)
{
	struct elf e;
	const char *why = elf_open(&e, mapped.p, mapped.n);

	if (why) {
		found_refuse(f, LIB_MAX, "%s", why);
		return;
	}
	trim_segments(&e, v, n);
	read_ahead(&e);
	read_identity(f, &e);
	run_finders(f, &e);
}

static int
map_and_inspect(struct found *f, int fd, size_t size, const struct piece *v, size_t n)
{
	mapped.hit = 0;
	mapped.n = size;
	mapped.p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapped.p == MAP_FAILED) {
		mapped.p = NULL;
		return -1;
	}
	if (map_pieces(fd, v, n) == 0)
		inspect_mapped(f, v, n);
	else
		mapped.hit = 1;
	munmap(mapped.p, size);
	mapped.p = NULL;
	if (!mapped.hit)
		return 0;
	found_free(f);
	errno = EIO;
	return -1;
}

int
inspect_fd(struct found *f, int fd)
{
	struct sigaction act = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER };
	static __thread struct piece pieces[PIECES];
	const char *why;
	struct stat st;
	size_t n;

	memset(f, 0, sizeof(*f));
	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		found_refuse(f, LIB_MAX, "not a regular file with something in it");
		return 0;
	}
	if ((why = find_pieces(fd, st.st_size, pieces, &n))) {
		found_refuse(f, LIB_MAX, "%s", why);
		return 0;
	}
	sigemptyset(&act.sa_mask);
	sigaction(SIGBUS, &act, NULL);
	return map_and_inspect(f, fd, st.st_size, pieces, n);
}

/* --- for people and for programs ------------------------------------------------------- */

void
inspect_text(FILE *out, const char *path, const struct found *f)
{
	char shown[1200], why[1200];

	fprintf(out, "%s: %s%s%s\n", show_text(shown, sizeof(shown), path),
	    *f->kind ? f->kind : "no program", *f->build_id ? " " : "", f->build_id);
	for (size_t i = 0; i < f->nsite; i++) {
		const struct find_site *s = &f->site[i];

		fprintf(out, "  %-9s %-9s %-26s %-5s %-14s file %#llx va %#llx, %s (%s): %s\n",
		    find_lib_name[s->lib], find_role_name[s->role],
		    show_text(shown, sizeof(shown), s->name), find_at_name[s->at],
		    find_abi_name[s->abi], (unsigned long long)s->off, (unsigned long long)s->va,
		    find_insn_name[s->insn], FIND_CHEAP(s) ? "cheap" : "dear",
		    show_text(why, sizeof(why), s->evidence));
	}
	for (size_t i = 0; i < f->nrefusal; i++)
		fprintf(out, "  refused%s%s: %s\n", f->refusal[i].lib < LIB_MAX ? " " : "",
		    f->refusal[i].lib < LIB_MAX ? find_lib_name[f->refusal[i].lib] : "",
		    show_text(why, sizeof(why), f->refusal[i].reason));
	if (f->nsite == 0 && f->nrefusal == 0)
		fprintf(out, "  no TLS library that is known\n");
	if (f->failed)
		fprintf(out, "  incomplete: out of memory, or more than can be listed\n");
}

static void
put_site(struct jput *j, const struct find_site *s)
{
	jput_object(j, NULL);
	jput_str(j, "lib", find_lib_name[s->lib]);
	jput_str(j, "role", find_role_name[s->role]);
	jput_str(j, "name", s->name);
	jput_str(j, "abi", find_abi_name[s->abi]);
	jput_str(j, "at", find_at_name[s->at]);
	jput_uint(j, "offset", s->off);
	jput_uint(j, "address", s->va);
	jput_str(j, "insn", find_insn_name[s->insn]);
	jput_bool(j, "cheap", FIND_CHEAP(s));
	jput_str(j, "evidence", s->evidence);
	jput_object_end(j);
}

void
inspect_json(struct line_out *out, const char *path, const struct found *f)
{
	struct jput j;

	jput_open(&j, out, "ssl.inspect");
	jput_str(&j, "path", path);
	if (*f->kind)
		jput_str(&j, "kind", f->kind);
	if (*f->build_id)
		jput_str(&j, "build_id", f->build_id);
	jput_array(&j, "sites");
	for (size_t i = 0; i < f->nsite; i++)
		put_site(&j, &f->site[i]);
	jput_array_end(&j);
	jput_array(&j, "refusals");
	for (size_t i = 0; i < f->nrefusal; i++) {
		jput_object(&j, NULL);
		if (f->refusal[i].lib < LIB_MAX)
			jput_str(&j, "lib", find_lib_name[f->refusal[i].lib]);
		jput_str(&j, "reason", f->refusal[i].reason);
		jput_object_end(&j);
	}
	jput_array_end(&j);
	jput_bool(&j, "complete", !f->failed);
	jput_close(&j);
}
