/*
 * inspect.c - runs every finder on one file; see inspect.h
 */
#include "inspect.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf.h"
#include "find_code.h"
#include "jput.h"
#include "show.h"

const char *const find_lib_name[LIB_MAX] = { "openssl", "boringssl", "gnutls", "nss", "rustls", "go" };
const char *const find_role_name[ROLE_MAX] = { "read", "write", "handshake", "new", "free", "sni" };
const char *const find_abi_name[ABI_MAX] = {
	"int", "ex", "ex2", "ssize", "nspr", "nspr-recv", "rustls-encrypt", "rustls-decrypt",
	"rustls-decrypt12", "go",
	"obj", "result", "make", "ctrl", "name", "namelen",
};
const char *const find_at_name[FIND_AT_MAX] = { "entry", "call", "ret" };
const char *const find_insn_name[INSN_MAX] = { "nop", "nop5", "push", "call", "jmp", "jcc", "other" };

void
found_free(struct found *f)
{
	free(f->site);
	free(f->refusal);
	memset(f, 0, sizeof(*f));
}

/* Room for one more of size bytes; doubled when n is a power of two. */
static void *
grow(void *p, size_t n, size_t size, size_t max, bool *failed)
{
	void *q = p;

	if (n >= max)
		q = NULL;
	else if ((n & (n - 1)) == 0)
		q = realloc(p, (n ? 2 * n : 1) * size);
	if (!q)
		*failed = true;
	return q;
}

struct find_site *
found_site(struct found *f)
{
	struct find_site *p = grow(f->site, f->nsite, sizeof(*p), FIND_MAX_SITES, &f->failed);

	if (!p)
		return NULL;
	f->site = p;
	return memset(&p[f->nsite++], 0, sizeof(*p));
}

void
found_refuse(struct found *f, enum find_lib lib, const char *fmt, ...)
{
	struct refusal *p = grow(f->refusal, f->nrefusal, sizeof(*p), FIND_MAX_REFUSALS, &f->failed);
	va_list ap;

	if (!p)
		return;
	f->refusal = p;
	p += f->nrefusal++;
	memset(p, 0, sizeof(*p));
	p->lib = lib;
	va_start(ap, fmt);
	vsnprintf(p->reason, sizeof(p->reason), fmt, ap);
	va_end(ap);
}

bool
found_has(const struct found *f, enum find_lib lib, enum find_role role)
{
	for (size_t i = 0; i < f->nsite; i++)
		if (f->site[i].lib == lib && f->site[i].role == role)
			return true;
	return false;
}

/* --- where exactly a probe goes ------------------------------------------------ */

static enum find_insn
insn_class(const struct x86 *x, const uint8_t *p)
{
	if (x->opsize || x->rep)
		return INSN_OTHER;	/* the kernel does not emulate these with a prefix */
	switch (x->kind) {
	case X86_NOP:
		return x->op == 0x90 && x->len == 1 ? INSN_NOP :
		    x->len == 5 && !memcmp(p, "\x0f\x1f\x44\x00\x00", 5) ? INSN_NOP5 : INSN_OTHER;
	case X86_PUSH: return x->len == 1 || (x->len == 2 && p[0] == 0x41) ? INSN_PUSH : INSN_OTHER;
	case X86_CALL: return INSN_CALL;
	case X86_JMP: return INSN_JMP;
	case X86_JCC: return x->op >= 0xe0 && x->op <= 0xe3 ? INSN_OTHER : INSN_JCC;
	default: return INSN_OTHER;
	}
}

/* Whether compilers begin functions so. */
static bool
begins_function(const struct x86 *x)
{
	if (x->vex)
		return x->op == 0x0f57 || x->op == 0x0fef;	/* vxorps, vpxor */
	if (x->op >= 0xb8 && x->op <= 0xbf)
		return true;
	switch (x->kind) {
	case X86_NOP: case X86_PUSH: case X86_CALL: case X86_JMP: return true;
	case X86_OTHER: break;
	default: return false;
	}
	switch (x->op) {
	case 0x31: case 0x33: case 0x29: case 0x2b: case 0x38: case 0x39: case 0x3a: case 0x3b:
	case 0x63: case 0x80: case 0x81: case 0x83: case 0x84: case 0x85: case 0x88: case 0x89:
	case 0x8a: case 0x8b: case 0x8d: case 0xc6: case 0xc7: case 0xf6: case 0xf7:
	case 0x0f1e: case 0x0f57: case 0x0fef: case 0x0fb6: case 0x0fb7: case 0x0fbe: case 0x0fbf:
		return true;
	}
	return false;
}

static bool
is_endbr(const uint8_t *p, size_t n)
{
	return n >= 4 && !memcmp(p, "\xf3\x0f\x1e\xfa", 4);
}

bool
point_at(struct find_site *s, const struct elf *e, uint64_t va)
{
	struct x86 x, y;
	uint64_t start, end;
	size_t n;
	const uint8_t *p = elf_span(e, va, &n);

	if (!p || !elf_is_code(e, va) || !x86_decode(&x, p, n, va) || !begins_function(&x))
		return false;
	if (elf_function(e, va, &start, &end) && start != va)
		return false;
	s->va = va;
	s->insn = insn_class(&x, p);
	if (is_endbr(p, n)) {	/* changes nothing: behind it is as good */
		if (!x86_decode(&y, p + 4, n - 4, va + 4))
			return false;
		if (insn_class(&y, p + 4) != INSN_OTHER) {
			s->va = va + 4;
			s->insn = insn_class(&y, p + 4);
		}
	}
	s->off = elf_offset(e, s->va);
	return true;
}

bool
point_inside(struct find_site *s, const struct elf *e, uint64_t va)
{
	struct x86 x;
	size_t n;
	const uint8_t *p = elf_span(e, va, &n);

	if (!p || !elf_is_code(e, va) || !x86_decode(&x, p, n, va))
		return false;
	s->va = va;
	s->off = elf_offset(e, va);
	s->insn = insn_class(&x, p);
	return true;
}

bool
point_begins(const struct find_site *s, const uint8_t *p, size_t n)
{
	struct x86 x;

	return x86_decode(&x, p, n, s->va) && insn_class(&x, p) == s->insn &&
	    (s->at != FIND_RET || x.kind == X86_RET);
}

bool
point_check(const struct find_site *s, const struct elf *e)
{
	struct find_site now = { 0 };
	struct x86 x;

	if (!point_inside(&now, e, s->va) || now.off != s->off || now.insn != s->insn)
		return false;
	if (s->at == FIND_RET)
		return x86_decode(&x, e->p + s->off, e->n - s->off, s->va) && x.kind == X86_RET;
	if (s->lib == LIB_GO)
		return true;
	/* behind endbr64, or where a function begins */
	if (s->off >= 4 && s->insn != INSN_OTHER && is_endbr(e->p + s->off - 4, 4))
		return point_at(&now, e, s->va - 4) && now.va == s->va;
	return point_at(&now, e, s->va) && now.va == s->va;
}

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
	    mmap((void *)page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
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
		if (mmap(mapped.p + v[i].from, v[i].to - v[i].from, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
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

	fprintf(out, "%s: %s%s%s\n", show_text(shown, sizeof(shown), path), *f->kind ? f->kind : "no program", *f->build_id ? " " : "", f->build_id);
	for (size_t i = 0; i < f->nsite; i++) {
		const struct find_site *s = &f->site[i];

		fprintf(out, "  %-9s %-9s %-26s %-5s %-14s file %#llx va %#llx, %s (%s): %s\n",
		    find_lib_name[s->lib], find_role_name[s->role], show_text(shown, sizeof(shown), s->name), find_at_name[s->at],
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
