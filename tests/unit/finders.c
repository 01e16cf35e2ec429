/*
 * finders.c - sites in small programs that this test compiles, strips, and damages
 *
 *	finders			TAP
 *	finders FILE...		what inspect says of a file (tests/finders.t)
 *	finders -s FILE		the same without reading symbols
 *	finders -j FILE		as one JSON line
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"
#include "sslsniff/cache.h"
#include "sslsniff/find.h"
#include "sslsniff/find_code.h"
#include "sslsniff/inspect.h"
#include "tap.h"

static char dir[256];

/* A file in memory, writable, exactly as long as it is. */
struct image { uint8_t *p; size_t n; };

static struct image
image_read(const char *path)
{
	struct image im = { NULL, 0 };
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (f && fstat(fileno(f), &st) == 0 && (im.p = malloc(st.st_size + 1)))
		im.n = fread(im.p, 1, st.st_size, f);
	if (f)
		fclose(f);
	return im;
}

static int
run(const char *fmt, const char *a, const char *b)
{
	char cmd[2048];

	snprintf(cmd, sizeof(cmd), fmt, dir, dir, a, b);
	return system(cmd);
}

/* Compiles source as dir/name with its symbols and dir/name.s without. */
static bool
build_as(const char *ext, const char *name, const char *source, const char *flags)
{
	const char *cc = getenv("CC") ? getenv("CC") : "cc";
	char path[512], cmd[2048];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, ext);
	if (!(f = fopen(path, "w")))
		return false;
	fputs(source, f);
	fclose(f);
	snprintf(cmd, sizeof(cmd),
	    "%s -O2 -w -o %s/%s %s/%s.%s %s 2>%s/log && strip -s -o %s/%s.s %s/%s", cc,
	    dir, name, dir, name, ext, flags, dir, dir, name, dir, name);
	if (system(cmd) == 0)
		return true;
	run("sed 's/^/# /' %s/log; : %s %s %s", name, flags);
	return false;
}

static bool
build(const char *name, const char *source, const char *flags)
{
	return build_as("c", name, source, flags);
}

static struct image
built(const char *name, const char *suffix)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	return image_read(path);
}

struct lookup { const char *name; uint64_t va; };

static bool
on_symbol(void *arg, const struct elf_sym *s)
{
	struct lookup *l = arg;

	if (!strcmp(s->name, l->name))
		l->va = s->va;
	return true;
}

/* The address of a symbol of dir/name. */
static uint64_t
address(const char *name, const char *symbol)
{
	struct image im = built(name, "");
	struct lookup l = { symbol, 0 };
	struct elf e;

	if (im.p && !elf_open(&e, im.p, im.n))
		elf_symbols(&e, on_symbol, &l);
	free(im.p);
	return l.va;
}

static const struct find_site *
site_of(const struct found *f, enum find_lib lib, enum find_role role)
{
	for (size_t i = 0; i < f->nsite; i++)
		if (f->site[i].lib == lib && f->site[i].role == role)
			return &f->site[i];
	return NULL;
}

static bool
site_is(const struct found *f, enum find_lib lib, enum find_role role, uint64_t va,
    enum find_abi abi)
{
	size_t n = 0, good = 0;

	for (size_t i = 0; i < f->nsite; i++) {
		const struct find_site *s = &f->site[i];

		if (s->lib != lib || s->role != role)
			continue;
		n++;
		good += s->va == va && s->abi == abi && *s->evidence;
	}
	if (va && n == 1 && good == 1)
		return true;
	printf("# %zu sites of %s %s, wanted one at %#llx\n", n, find_lib_name[lib],
	    find_role_name[role],
	    (unsigned long long)va);
	inspect_text(stdout, "#", f);
	return false;
}

static bool
refused(const struct found *f, enum find_lib lib, const char *words)
{
	for (size_t i = 0; i < f->nrefusal; i++)
		if (f->refusal[i].lib == lib && strstr(f->refusal[i].reason, words))
			return true;
	inspect_text(stdout, "# not refused:", f);
	return false;
}

/* --- BoringSSL's shape ------------------------------------------------------------- */

static const char boring_source[] =
"#include <stddef.h>\n#include <string.h>\n"
"#define NOIPA __attribute__((noipa))\n"
"struct s3 { char pad[0x100]; const char *p; size_t n; };\n"
"typedef struct { void *method; char pad[0x98]; void *quic; int (*hs)(void *); struct s3 *s3; } SSL;\n"
"NOIPA void put(int lib, int unused, int reason, const char *file, unsigned line) { __asm__ volatile(\"\"); }\n"
"#define ERR(r) put(16, 0, r, \"/build/src/deps/boringssl/ssl/ssl_lib.cc\", __LINE__)\n"
"NOIPA int handshake(SSL *s) { if (!s->hs) { ERR(134); return -1; } return s->hs(s); }\n"
"NOIPA int read_impl(SSL *s) { if (!s->hs) { ERR(226); return -1; }\n"
"	while (!s->s3->n) { int r = handshake(s); if (r < 0) return r; if (!r) { ERR(215); return -1; } } return 1; }\n"
"NOIPA int the_peek(SSL *s, void *b, int n) { if (s->quic) { ERR(66); return -1; } int r = read_impl(s);\n"
"	if (r <= 0) return r; if (n <= 0) return n; size_t m = n < s->s3->n ? n : s->s3->n; memcpy(b, s->s3->p, m); return m; }\n"
"#ifdef SPLIT\nNOIPA int the_read(SSL *s, void *b, int n) { int m = the_peek(s, b, n); if (m <= 0) return m; s->s3->p += m; s->s3->n -= m; return m; }\n#else\n"
"NOIPA int the_read(SSL *s, void *b, int n) { if (s->quic) { ERR(66); return -1; } int r = read_impl(s);\n"
"	if (r <= 0) return r; if (n <= 0) return n; size_t m = n < s->s3->n ? n : s->s3->n; memcpy(b, s->s3->p, m);\n"
"	s->s3->p += m; s->s3->n -= m; return m; }\n#endif\n"
"#ifndef MORE\n#define MORE\n#define PASS\n#else\n#define PASS , more\n#endif\n"
"NOIPA int the_write(SSL *s, const void *b, int n MORE) { if (s->quic) { ERR(66); return -1; }\n"
"	if (!s->hs) { ERR(226); return -1; } size_t done = 0; do { int r = handshake(s); if (r < 0) return r;\n"
"	if (!r) { ERR(215); return -1; } if (n < 0) { ERR(111); return -1; }\n"
"	r = ((int (*)(SSL *, size_t *, const void *, size_t, long))s->method)(s, &done, b, n, 0 EXTRA); if (r <= 0) return r; } while (!done); return done; }\n"
"#ifdef TWO\n"
"NOIPA int other_write(SSL *s, const void *b, int n) { if (s->quic) { ERR(66); return -2; }\n"
"	if (!s->hs) { ERR(226); return -3; } if (n < 0) { ERR(111); return -4; }\n"
"	return ((int (*)(SSL *, const void *, size_t))s->method)(s, b, n) + 1; }\n"
"#endif\n"
"int main(int c, char **v) { SSL s; memset(&s, 0, sizeof(s)); s.quic = v; char b[99];\n"
"	int r = the_peek(&s, b, c) + the_read(&s, b, c) + handshake(&s) + read_impl(&s);\n"
"#ifdef TWO\n	r += other_write(&s, b, c);\n#endif\n"
"	return r + ((int (*)(SSL *, void *, int, long))the_write)(&s, b, c, 1) + the_write(&s, b, c CALL); }\n";

static void
test_boring(void)
{
	static const struct { const char *name, *flags; } as[] = {
		{ "program", "-DEXTRA= -DCALL= -no-pie" },
		{ "position-independent program", "-DEXTRA= -DCALL= -pie -fPIE" },
		{ "program without unwind tables",
		    "-DEXTRA= -DCALL= -no-pie -fno-asynchronous-unwind-tables" },
		{ "position-independent program without unwind tables",
		    "-DEXTRA= -DCALL= -pie -fPIE -fno-asynchronous-unwind-tables" },
		{ "program where SSL_read calls SSL_peek", "-DSPLIT -DEXTRA= -DCALL= -no-pie" },
		{ "program where SSL_read calls SSL_peek, without unwind tables",
		    "-DSPLIT -DEXTRA= -DCALL= -no-pie -fno-asynchronous-unwind-tables" },
		{ "program with frame pointers",
		    "-DEXTRA= -DCALL= -no-pie -fno-omit-frame-pointer" },
	};
	struct found f;

	for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
		struct image im;
		char what[128];

		if (!build("boring", boring_source, as[i].flags)) {
			ok(0, "compiles");
			continue;
		}
		im = built("boring", ".s");
		inspect_image(&f, im.p, im.n);
		snprintf(what, sizeof(what), "BoringSSL in a stripped %s", as[i].name);
		ok(site_is(&f, LIB_BORINGSSL, ROLE_WRITE, address("boring", "the_write"),
		    ABI_INT) &&
		    site_is(&f, LIB_BORINGSSL, ROLE_READ, address("boring", "the_read"), ABI_INT) &&
		    site_is(&f, LIB_BORINGSSL, ROLE_HANDSHAKE, address("boring", "handshake"),
		    ABI_RESULT) &&
		    !f.failed && f.nrefusal == 0, what);
		found_free(&f);
		free(im.p);
	}
}

static void
test_boring_refused(void)
{
	static const struct { const char *name, *why, *flags; } as[] = {
		{ "two functions like SSL_write: neither", "2 candidates for SSL_write",
		    "-DTWO -DEXTRA= -DCALL= -no-pie" },
		{ "a fourth argument: not SSL_write", "three arguments",
		    "'-DMORE=,long more' '-DEXTRA=+more' -DCALL=,1L -no-pie" },
	};
	struct found f;

	for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
		struct image im;

		ok(build("twice", boring_source, as[i].flags), "compiles");
		im = built("twice", ".s");
		inspect_image(&f, im.p, im.n);
		ok(f.nsite == 0 && refused(&f, LIB_BORINGSSL, as[i].why), as[i].name);
		found_free(&f);
		free(im.p);
	}
}

/* --- rustls's shape -------------------------------------------------------------------- */

static const char rustls_source[] =
"#include <stddef.h>\n"
"#define NOIPA __attribute__((noipa))\n"
"struct msg { size_t w[4]; unsigned char typ; unsigned short version; };\n"
"struct in { unsigned char *p; size_t n; unsigned char typ; };\n"
"NOIPA void sink(void *a, size_t n, unsigned long seq, int i) { __asm__ volatile(\"\"); }\n"
"NOIPA void enc(size_t *out, void *self, struct msg *m, unsigned long seq) {\n"
"#ifdef OLD\n	size_t n = m->w[1];\n#else\n	size_t n = m->w[0] ? m->w[3] - m->w[2] : m->w[2];\n#endif\n"
"	for (int i = 0; i < m->typ; i++) { sink(self, n + 17, seq, i); sink(out, n, seq ^ i, i + 1); sink(m, n, seq, 1); }\n"
"	out[0] = n; out[1] = seq; }\n"
"NOIPA size_t len(void *self, size_t n) { return n + 17; }\n"
"NOIPA size_t other(void *self, size_t n) { return n * 17; }\n"
"NOIPA void dec(size_t *out, void *self, struct in *m, unsigned long seq) {\n"
"	if (m->n < 17) { *out = 6; return; }\n"
"	for (int i = 0; i < m->typ; i++) { sink(self, m->n - 17, seq, i); sink(out, m->n, seq ^ i, 2); sink(m->p, 1, seq, 1); }\n"
"	out[0] = (size_t)m->p; out[1] = seq; }\n"
"NOIPA void drop(void *self) { sink(self, 1, 2, 3); }\n"
"struct vt { void *dd; size_t ds, da; void *df; void *gap[3]; void *ed; size_t es, ea; void *ef, *el; };\n"
"__attribute__((used)) const struct vt table = { 0, 40, 8, dec, { 0, main_, 0 }, drop, 48, 8, enc,\n"
"#ifdef NOLEN\n	other\n#else\n	len\n#endif\n};\n"
"int main(int c, char **v) { __asm__ volatile(\"\" : : \"r\"(&table)); return 0; }\n";

static void
test_rustls(void)
{
	static const struct { const char *name, *flags; } as[] = {
		{ "static-pie program", "-Dmain_=0 -static-pie -fPIE" },
		{ "shared object", "-Dmain_=0 -shared -fPIC -fvisibility=hidden" },
		{ "shared object with endbr64",
		    "-Dmain_=0 -shared -fPIC -fvisibility=hidden -fcf-protection=full" },
		{ "shared object with RELR relocations",
		    "-Dmain_=0 -shared -fPIC -fvisibility=hidden -Wl,-z,pack-relative-relocs" },
		{ "program that is not relocated", "-Dmain_=0 -no-pie" },
	};
	struct found f;
	struct image im;

	for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
		unsigned skip = strstr(as[i].flags, "cf-prot") ? 4 : 0;
		char what[128];

		ok(build("rustls", rustls_source, as[i].flags), "compiles");
		im = built("rustls", ".s");
		inspect_image(&f, im.p, im.n);
		snprintf(what, sizeof(what), "rustls in a stripped %s", as[i].name);
		ok(site_is(&f, LIB_RUSTLS, ROLE_WRITE, address("rustls", "enc") + skip,
		    ABI_RUSTLS_ENCRYPT) &&
		    site_is(&f, LIB_RUSTLS, ROLE_READ, address("rustls", "dec") + skip,
		    ABI_RUSTLS_DECRYPT) &&
		    site_of(&f, LIB_RUSTLS, ROLE_READ)->at == FIND_CALL &&
		    site_of(&f, LIB_RUSTLS, ROLE_WRITE)->at == FIND_ENTRY && f.nrefusal == 0, what);
		found_free(&f);
		free(im.p);
	}
	ok(build("rustls", rustls_source, "-Dmain_=0 -DOLD -shared -fPIC -fvisibility=hidden"),
	    "compiles");
	im = built("rustls", ".s");
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && refused(&f, LIB_RUSTLS, "0.23"), "another message layout is refused");
	found_free(&f);
	free(im.p);
	ok(build("rustls", rustls_source, "-Dmain_=0 -DNOLEN -shared -fPIC -fvisibility=hidden"),
	    "compiles");
	im = built("rustls", ".s");
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && f.nrefusal == 0,
	    "a vtable without the length function is none of rustls");
	found_free(&f);
	free(im.p);
}

/* --- Go's table ------------------------------------------------------------------------------ */

/* Three methods and an entry, as the Go compiler lays them out, and their pclntab. */
static const char go_source[] =
"	.text\n"
"	.p2align 5\n"
"	.globl _rt0, main\n"
"go_text:\n"
"_rt0:	xor %eax,%eax\n"
"	ret\n"
"	.p2align 5,0xcc\n"
"	.macro method name\n"
"	.globl \\name, \\name\\()_in\n"
"\\name:\n"
"#if defined(STACK)\n"
"	cmp 16(%rcx),%rsp\n"
"#elif defined(BIG)\n"
"	lea -128(%rsp),%r12\n"
"	cmp 16(%r14),%r12\n"
"#else\n"
"	cmp 16(%r14),%rsp\n"
"#endif\n"
"	jbe 9f\n"
"\\name\\()_in:\n"
"	push %rbp\n"
"	mov %rax,%rdi\n"
"	add %rbx,%rcx\n"
"	jne 1f\n"
"	pop %rbp\n"
"	ret\n"
"1:\n"
"#ifdef ODD\n"
"	.byte 0x0f,0x04\n"
"#endif\n"
"	pop %rbp\n"
"	ret\n"
"9:	call go_text\n"
"	jmp \\name\n"
"	.p2align 5,0xcc\n"
"	.endm\n"
"	method go_read\n"
"	method go_write\n"
"	method go_close\n"
"go_etext:\n"
"main:	ret\n"
"	.section .data.rel.ro,\"aw\"\n"
"	.p2align 5\n"
"tab:	.byte 0xf1,0xff,0xff,0xff,0,0,1,8\n"
"	.quad 4,0,TEXT,names-tab,0,0,0,funcs-tab\n"
"names:	.byte 0\n"
"n0:	.asciz \"_rt0_amd64_linux\"\n"
"n1:	.asciz \"crypto/tls.(*Conn).Read\"\n"
"n2:	.asciz \"crypto/tls.(*Conn).Write\"\n"
"n3:	.asciz \"crypto/tls.(*Conn).Close\"\n"
"	.p2align 3\n"
"funcs:	.long 0,f0-funcs, go_read-go_text,f1-funcs, go_write-go_text,f2-funcs\n"
"	.long go_close-go_text,f3-funcs, go_etext-go_text,0\n"
"f0:	.long 0,n0-names,0,0\n"
"f1:	.long go_read-go_text,n1-names,0,0\n"
"f2:	.long go_write-go_text,n2-names,0,0\n"
"f3:	.long go_close-go_text,n3-names,0,0\n"
"	.fill 64,1,0\n"
"	.section .note.GNU-stack,\"\",@progbits\n";

static void
test_go(void)
{
	static const struct { const char *name, *flags; } as[] = {
		{ "a program", "-DTEXT=go_text -no-pie" },
		{ "a position-independent program", "-DTEXT=go_text -pie -fPIE" },
		{ "functions with large frames", "-DBIG -DTEXT=go_text -no-pie" },
		{ "a table that does not say where the code is", "-DTEXT=0 -no-pie -Wl,-e,_rt0" },
	};
	struct found f;
	struct image im;

	for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
		size_t rets = 0, sites[2] = { 0, 0 };
		char what[128];

		ok(build_as("S", "go", go_source, as[i].flags), "compiles");
		im = built("go", ".s");
		inspect_image(&f, im.p, im.n);
		for (size_t j = 0; j < f.nsite; j++) {
			const struct find_site *s = &f.site[j];

			if (s->at == FIND_RET && s->role <= ROLE_WRITE && s->go &&
			    im.p[s->off] == 0xc3)
				rets += s->role == ROLE_READ ? 1 : 100;
			else if (s->at == FIND_ENTRY && s->role <= ROLE_WRITE)
				sites[s->role] = s->va;
		}
		snprintf(what, sizeof(what), "Go: %s", as[i].name);
		ok(sites[0] == address("go", "go_read_in") &&
		    sites[1] == address("go", "go_write_in") && rets == 202 &&
		    site_is(&f, LIB_GO, ROLE_FREE, address("go", "go_close_in"), ABI_OBJ) &&
		    f.nrefusal == 0, what);
		found_free(&f);
		free(im.p);
	}
	ok(build_as("S", "go", go_source, "-DSTACK -DTEXT=go_text -no-pie"), "compiles");
	im = built("go", ".s");
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && refused(&f, LIB_GO, "Read does not begin"),
	    "Go with arguments on the stack is refused");
	found_free(&f);
	free(im.p);
	ok(build_as("S", "go", go_source, "-DTEXT=go_text -DODD -no-pie"), "compiles");
	im = built("go", ".s");
	inspect_image(&f, im.p, im.n);
	ok(!site_of(&f, LIB_GO, ROLE_WRITE) &&
	    refused(&f, LIB_GO, "return instructions"), "an unknown instruction is refused");
	found_free(&f);
	free(im.p);
	ok(build_as("S", "go", go_source, "-DTEXT=0 -no-pie"), "compiles");
	im = built("go", ".s");
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && refused(&f, LIB_GO, ""), "no way to know where the code is: refused");
	found_free(&f);
	free(im.p);
}

/* --- OpenSSL: symbols, and the real library without them --------------------------------- */

static const char symbols_source[] =
"#include <stddef.h>\n"
"#define NOIPA __attribute__((noipa))\n"
"NOIPA static void fail(void) { __asm__ volatile(\"\"); }\n"
"NOIPA static int step(void *s, void *b, size_t n, size_t *d) { __asm__ volatile(\"\"); return *d = n; }\n"
"NOIPA static int in_r(void *s, void *b, size_t n, size_t *d) { int r = 0; for (size_t i = 0; i < n; i++) r |= step(s, b, i, d); return r; }\n"
"NOIPA static int in_w(void *s, void *b, size_t n, long f, size_t *d) { int r = 0; for (size_t i = f; i < n; i++) r |= step(s, b, i, d); return r; }\n"
"#ifdef APART\n#define PLAIN step\n#else\n#define PLAIN in_r\n#endif\n"
"int SSL_read(void *s, void *b, int n) { size_t d; if (n < 0) { fail(); return -1; } int r = PLAIN(s, b, n, &d); return r > 0 ? d : r; }\n"
"int SSL_read_ex(void *s, void *b, size_t n, size_t *d) { int r = in_r(s, b, n, d); return r < 0 ? 0 : r; }\n"
"int SSL_write(void *s, void *b, int n) { size_t d; if (n < 0) { fail(); return -1; } int r = in_w(s, b, n, 0, &d); return r > 0 ? d : r; }\n"
"int SSL_write_ex2(void *s, void *b, size_t n, long f, size_t *d) { int r = in_w(s, b, n, f, d); return r < 0 ? 0 : r; }\n"
"int SSL_write_ex(void *s, void *b, size_t n, size_t *d) { return SSL_write_ex2(s, b, n, 0, d); }\n"
"void SSL_free(void *s) { fail(); }\n";

static void
test_symbols(void)
{
	struct found f;
	struct image im;

	ok(build("sym", symbols_source, "-shared -fPIC"), "compiles");
	im = built("sym", ".s");
	inspect_image(&f, im.p, im.n);
	ok(site_is(&f, LIB_OPENSSL, ROLE_READ, address("sym", "in_r"), ABI_EX),
	    "the internal read serves both public forms");
	ok(site_is(&f, LIB_OPENSSL, ROLE_WRITE, address("sym", "in_w"), ABI_EX2),
	    "the internal write, with flags, all three");
	ok(site_is(&f, LIB_OPENSSL, ROLE_FREE, address("sym", "SSL_free"), ABI_OBJ), "SSL_free");
	ok(!strcmp(f.kind, "shared"), "kind of file");
	found_free(&f);
	free(im.p);

	ok(build("sym", symbols_source, "-DAPART -shared -fPIC"), "compiles");
	im = built("sym", ".s");
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 4 && f.site[0].va == address("sym", "SSL_read") && f.site[0].abi == ABI_INT &&
	    f.site[1].va == address("sym", "SSL_read_ex") && f.site[1].abi == ABI_EX,
	    "without proof of an internal function: the public symbols");
	found_free(&f);
	free(im.p);

	ok(build("sym", symbols_source, "-shared -fPIC -fcf-protection=full"), "compiles");
	im = built("sym", ".s");
	inspect_image(&f, im.p, im.n);
	ok(f.nsite >= 2 && FIND_CHEAP(&f.site[0]) &&
	    FIND_CHEAP(&f.site[1]), "behind endbr64, where a probe is cheap");
	found_free(&f);
	free(im.p);
}

/* What the string finder says, symbols or not. */
static void
find_by_strings(struct found *f, struct image im)
{
	struct scan *scan = malloc(sizeof(*scan));
	struct elf e;

	memset(f, 0, sizeof(*f));
	if (!elf_open(&e, im.p, im.n)) {
		scan_file(scan, &e);
		find_openssl(&e, scan, f);
		find_boring(&e, scan, f);
	}
	free(scan);
}

/* The same places for reading and writing, and some of them. */
static bool
same_data_sites(const struct found *a, const struct found *b)
{
	size_t n[2] = { 0, 0 };

	for (int side = 0; side < 2; side++) {
		const struct found *x = side ? b : a, *y = side ? a : b;

		for (size_t i = 0; i < x->nsite; i++) {
			size_t j;

			if (x->site[i].role > ROLE_WRITE)
				continue;
			for (j = 0; j < y->nsite; j++)
				if (y->site[j].role == x->site[i].role &&
				    y->site[j].off == x->site[i].off &&
				    y->site[j].abi == x->site[i].abi)
					break;
			if (j == y->nsite) {
				inspect_text(stdout, "# one", a);
				inspect_text(stdout, "# other", b);
				return false;
			}
			n[side]++;
		}
	}
	return n[0] >= 2 && n[0] == n[1];
}

static const char static_source[] =
"#include <openssl/ssl.h>\n"
"int main(int c, char **v) { SSL_CTX *x = SSL_CTX_new(TLS_method()); SSL *s = SSL_new(x); char b[9]; size_t n;\n"
"	SSL_do_handshake(s); SSL_write(s, v[0], c); SSL_write_ex(s, v[0], c, &n); SSL_read_ex(s, b, 9, &n);\n"
"	return SSL_read(s, b, 9); }\n";

/* Takes the unwind table's program header away. */
static void
hide_unwind(struct image im)
{
	uint8_t *ph = im.p + get64(im.p + 32);

	for (unsigned i = 0; i < get16(im.p + 56); i++, ph += 56)
		if (get32(ph) == PT_GNU_EH_FRAME)
			memset(ph, 0, 4);
}

static void
test_static_openssl(void)
{
	static const char *const flags[] = { "-static -lssl -lcrypto",
	    "-static-pie -fPIE -lssl -lcrypto" };
	struct found a, b;
	struct image im;

	for (size_t i = 0; i < 2; i++) {
		ok(build("static", static_source, flags[i]), "OpenSSL linked in statically");
		im = built("static", "");
		inspect_image(&a, im.p, im.n);
		ok(site_is(&a, LIB_OPENSSL, ROLE_READ, address("static", "ssl_read_internal"),
		    ABI_EX) &&
		    site_is(&a, LIB_OPENSSL, ROLE_WRITE, address("static", "ssl_write_internal"),
		    ABI_EX), "by symbols");
		free(im.p);
		im = built("static", ".s");
		inspect_image(&b, im.p, im.n);
		ok(same_data_sites(&a, &b), "stripped: the same places");
		ok(site_is(&b, LIB_OPENSSL, ROLE_NEW, address("static", "SSL_new"), ABI_MAKE) &&
		    site_is(&b, LIB_OPENSSL, ROLE_HANDSHAKE, address("static", "SSL_do_handshake"),
		    ABI_RESULT),
		    "and SSL_new, SSL_do_handshake");
		found_free(&b);
		memset(im.p + 40, 0, 8);	/* e_shoff */
		inspect_image(&b, im.p, im.n);
		ok(same_data_sites(&a, &b), "without section headers");
		found_free(&b);
		hide_unwind(im);
		inspect_image(&b, im.p, im.n);
		ok(same_data_sites(&a, &b), "without unwind tables");
		found_free(&b);
		found_free(&a);
		free(im.p);
	}
}

/* --- damage --------------------------------------------------------------------------------- */

static void
test_refusals(void)
{
	struct image im = built("sym", ".s");
	struct found f;

	inspect_image(&f, "#!/bin/sh\n", 10);
	ok(refused(&f, LIB_MAX, "not an ELF"), "a script");
	found_free(&f);
	im.p[18] = 183;
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && refused(&f, LIB_MAX, "x86-64"), "aarch64");
	found_free(&f);
	im.p[18] = EM_X86_64;
	im.p[4] = ELFCLASS32;
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && refused(&f, LIB_MAX, "x86-64"), "32-bit");
	found_free(&f);
	im.p[4] = ELFCLASS64;
	im.p[16] = ET_REL;
	inspect_image(&f, im.p, im.n);
	ok(f.nsite == 0 && refused(&f, LIB_MAX, "neither"), "an object file");
	found_free(&f);
	free(im.p);
}

/* A site must lie in what the file holds, whatever was damaged. */
static bool
sane(const struct found *f, size_t n)
{
	for (size_t i = 0; i < f->nsite; i++)
		if (f->site[i].off >= n)
			return false;
	return true;
}

static void
test_truncated(void)
{
	static const char *const names[] = { "sym", "boring", "rustls" };
	struct found f;
	bool good = true;

	for (size_t i = 0; i < 3; i++) {
		struct image im = built(names[i], ".s");

		for (size_t n = 0; n < im.n; n += n < 1024 ? 7 : 331) {
			uint8_t *p = malloc(n ? n : 1);

			memcpy(p, im.p, n);
			inspect_image(&f, p, n);
			good &= sane(&f, n);
			found_free(&f);
			free(p);
		}
		free(im.p);
	}
	ok(good, "cut off anywhere");
}

static void
test_big_claims(void)
{
	static const char *const names[] = { "sym", "boring", "rustls" };
	static const uint64_t claims[] = { 0, 1, 0xffffffff, 1ull << 32, 1ull << 63, UINT64_MAX,
	    UINT64_MAX - 7 };
	struct found f;
	bool good = true;

	for (size_t i = 0; i < 3; i++) {
		struct image im = built(names[i], ".s");
		uint64_t ph = get64(im.p + 32), end = ph + 56ull * get16(im.p + 56);

		for (uint64_t at = 24; at + 8 <= end; at += 8)
			for (size_t c = 0; c < sizeof(claims) / sizeof(*claims); c++) {
				uint8_t was[8];

				memcpy(was, im.p + at, 8);
				memcpy(im.p + at, &claims[c], 8);
				inspect_image(&f, im.p, im.n);
				good &= sane(&f, im.n);
				found_free(&f);
				memcpy(im.p + at, was, 8);
			}
		free(im.p);
	}
	ok(good, "headers that claim anything");
}

/* Somebody keeps truncating the file that is read. */
static void
test_shrinking(void)
{
	struct image im = built("static", ".s");
	char path[512];
	struct found f;
	int fd, rc = 0, status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/shrinking", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(fd != -1 && write(fd, im.p, im.n) == (ssize_t)im.n, "a file to shrink");
	if ((pid = fork()) == 0)
		for (;;)
			if (ftruncate(fd, 4096) || pwrite(fd, im.p, im.n, 0) != (ssize_t)im.n)
				_exit(1);
	for (int i = 0; i < 20 && rc == 0; i++) {
		if (inspect_fd(&f, fd) == -1 && errno != EIO)
			rc = -1;
		found_free(&f);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(rc == 0 && WIFSIGNALED(status), "is survived");
	close(fd);
	free(im.p);
}

/* --- instructions ----------------------------------------------------------------------------- */

static void
test_x86(void)
{
	static const struct { const char *bytes; unsigned n, len; enum x86_kind kind; } as[] = {
		{ "\x55", 1, 1, X86_PUSH },
		{ "\x41\x57", 2, 2, X86_PUSH },
		{ "\xf3\x0f\x1e\xfa", 4, 4, X86_OTHER },
		{ "\x0f\x1f\x44\x00\x00", 5, 5, X86_NOP },
		{ "\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", 10, 10, X86_NOP },
		{ "\xe8\x01\x02\x03\x04", 5, 5, X86_CALL },
		{ "\x0f\x84\x01\x02\x03\x04", 6, 6, X86_JCC },
		{ "\xff\x25\x01\x02\x03\x04", 6, 6, X86_JMP_MEM },
		{ "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10, X86_OTHER },
		{ "\x48\x8d\x84\x24\x01\x02\x03\x04", 8, 8, X86_OTHER },
		{ "\x66\xc7\x44\x24\x08\x01\x02", 7, 7, X86_OTHER },
		{ "\xf7\xc1\x01\x02\x03\x04", 6, 6, X86_OTHER },
		{ "\xf7\xd9", 2, 2, X86_OTHER },
		{ "\xc5\xf8\x77", 3, 3, X86_OTHER },
		{ "\xc4\xe3\x7d\x19\xc1\x01", 6, 6, X86_OTHER },
		{ "\x62\xf1\x7c\x48\x10\x07", 6, 6, X86_OTHER },
		{ "\xf2\xc3", 2, 2, X86_RET },
		{ "\x0f\x0b", 2, 2, X86_TRAP },
		{ "\x06", 1, 0, X86_OTHER },		/* not in 64-bit mode */
		{ "\x0f\x04", 2, 0, X86_OTHER },	/* unassigned */
		{ "\xe8\x01\x02\x03", 4, 0, X86_OTHER },	/* cut off */
		{ "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 16, 0,
		    X86_OTHER },
	};
	struct x86 x;
	bool good = true;
	unsigned reads, writes;

	for (size_t i = 0; i < sizeof(as) / sizeof(*as); i++) {
		uint8_t *p = malloc(as[i].n);
		bool known;

		memcpy(p, as[i].bytes, as[i].n);
		known = x86_decode(&x, p, as[i].n, 0x1000);
		if (known != (as[i].len != 0) ||
		    (known && (x.len != as[i].len || x.kind != as[i].kind))) {
			printf("# instruction %zu\n", i);
			good = false;
		}
		free(p);
	}
	ok(good, "lengths and kinds");
	ok(x86_decode(&x, (const uint8_t *)"\xe8\xfb\xff\xff\xff", 5, 0x1000) &&
	    x.target == 0x1000, "targets");
	x86_decode(&x, (const uint8_t *)"\x45\x31\xc0", 3, 0);
	x86_regs(&x, &reads, &writes);
	ok(reads == 0 && writes == X86_BIT(R8), "xor with itself reads nothing");
	x86_decode(&x, (const uint8_t *)"\x49\x89\x54\x88\x10", 5, 0);
	x86_regs(&x, &reads, &writes);
	ok(reads == (X86_BIT(RDX) | X86_BIT(R8) | X86_BIT(RCX)) &&
	    writes == 0, "a store reads its operand and address");
}

/* --- cache ---------------------------------------------------------------------------------------- */

static bool
same_found(const struct found *a, const struct found *b)
{
	if (a->nsite != b->nsite || a->nrefusal != b->nrefusal || strcmp(a->build_id, b->build_id))
		return false;
	for (size_t i = 0; i < a->nsite; i++)
		if (memcmp(&a->site[i], &b->site[i], sizeof(a->site[i])))
			return false;
	for (size_t i = 0; i < a->nrefusal; i++)
		if (strcmp(a->refusal[i].reason, b->refusal[i].reason))
			return false;
	return true;
}

static void
test_cache_bytes(void)
{
	struct image im = built("sym", ".s");
	struct stat st = { .st_dev = 1, .st_ino = 2, .st_size = im.n, .st_mtim = { 5, 6 } }, other;
	struct found f, g;
	uint8_t *p;
	size_t n, kept = 0;

	inspect_image(&f, im.p, im.n);
	found_refuse(&f, LIB_GO, "because");
	p = cache_pack(&f, &st, &n);
	ok(cache_unpack(&g, p, n, &st) && same_found(&f, &g), "comes back as it was");
	found_free(&g);
	for (size_t i = 0; i < n; i++) {
		p[i] ^= 0x10;
		kept += cache_unpack(&g, p, n, &st);
		found_free(&g);
		p[i] ^= 0x10;
	}
	for (size_t i = 0; i < n; i++) {
		kept += cache_unpack(&g, p, i, &st);
		found_free(&g);
	}
	ok(kept == 0, "damaged anywhere, or cut off: ignored");
	other = st;
	other.st_mtim.tv_nsec++;
	kept = cache_unpack(&g, p, n, &other);
	found_free(&g);
	other = st;
	other.st_ino++;
	kept += cache_unpack(&g, p, n, &other);
	found_free(&g);
	ok(kept == 0, "another time or inode: ignored");
	other = st;
	other.st_ctim.tv_nsec++;
	ok(!cache_unpack(&g, p, n, &other), "the same mtime, but another ctime: ignored");
	found_free(&g);
	found_free(&f);
	free(p);
	free(im.p);
}

static void
test_cache_files(void)
{
	char path[512], cache[600];
	struct found f, g;
	struct stat st;
	struct image im = built("sym", ".s");
	int fd;

	snprintf(cache, sizeof(cache), "%s/cache", dir);
	setenv("XDG_CACHE_HOME", cache, 1);
	snprintf(path, sizeof(path), "%s/sym.s", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ok(inspect_fd(&f, fd) == 0 && f.nsite > 0, "inspected");
	fstat(fd, &st);
	st.st_ctim.tv_sec += 3600;	/* so it is just now however slow the machine is */
	cache_store(&f, &st);
	ok(!cache_load(&g, &st), "not kept: it was changed just now");
	st.st_ctim.tv_sec -= 3610;
	cache_store(&f, &st);
	ok(cache_load(&g, &st) && same_found(&f, &g), "and kept");
	found_free(&g);
	snprintf(cache, sizeof(cache), "%s/cache/agentsight", dir);
	ok(stat(cache, &st) == 0 && (st.st_mode & 0777) == 0700, "directory 0700");
	ok(run("test -z \"$(find %s/cache/agentsight -type f ! -perm 600)\" && test -n \"$(ls %s/cache/agentsight)\" # %s %s",
	    "", "") == 0, "files 0600");
	chmod(cache, 0777);
	fstat(fd, &st);
	st.st_ctim.tv_sec -= 10;	/* as it was kept */
	ok(!cache_load(&g, &st), "a directory that others may write to is not used");
	found_free(&g);
	chmod(cache, 0700);
	ok(run("for f in %s/cache/agentsight/*; do echo x >$f; done; : %s %s %s", "", "") == 0 &&
	    !cache_load(&g, &st), "a file that is something else is ignored");
	cache_store(&f, &st);
	ok(cache_load(&g, &st), "and good again");
	found_free(&g);
	found_free(&f);
	close(fd);
	free(im.p);
}

/* --- files of the caller ------------------------------------------------------------------------------ */

static int
show(const char *path, char how)
{
	struct image im = image_read(path);
	struct line_out out;
	struct found f;

	if (!im.p) {
		perror(path);
		return 1;
	}
	if (how == 's')
		find_by_strings(&f, im);
	else
		inspect_image(&f, im.p, im.n);
	if (how == 'j') {
		line_out_init(&out, STDOUT_FILENO);
		inspect_json(&out, path, &f);
		line_flush(&out);
		line_out_free(&out);
	} else
		inspect_text(stdout, path, &f);
	found_free(&f);
	free(im.p);
	return 0;
}

int
main(int argc, char **argv)
{
	char how = 0;
	int rc = 0;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-')
			how = argv[i][1];
		else
			rc |= show(argv[i], how);
	if (argc > 1)
		return rc;
	snprintf(dir, sizeof(dir), "%s/finders.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	test_x86();
	test_boring();
	test_boring_refused();
	test_rustls();
	test_go();
	test_symbols();
	test_static_openssl();
	test_refusals();
	test_truncated();
	test_big_claims();
	test_shrinking();
	test_cache_bytes();
	test_cache_files();
	run("rm -rf %s; : %s %s %s", "", "");
	return done();
}
