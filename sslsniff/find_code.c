/*
 * find_code.c - one pass over the file, walks through functions; see find_code.h
 */
#include "find_code.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	WALK_WINDOW = 64 << 10,		/* bytes of one function */
	WALK_PENDING = 1024,		/* branch targets not yet visited */
	PATH_INSNS = 600,		/* looked at for arguments, by all paths together */
	MAX_BACK = 0x4000,		/* a function's start lies at most so far before a site */
	MAX_STARTS = 1 << 20,
	MAX_RANGE = 1 << 30,		/* of code in which starts are looked for */
	BUDGET = 4 << 20,
};

/* --- the scan: strings, Go tables, rustls length functions ------------------- */

static const struct { const char *name; enum scan_what what; } names[] = {
	{ "SSL_read", STR_SSL_READ }, { "SSL_write", STR_SSL_WRITE },
	{ "ssl_read_internal", STR_READ_INTERNAL }, { "ssl_write_internal", STR_WRITE_INTERNAL },
	{ "SSL_do_handshake", STR_DO_HANDSHAKE }, { "SSL_new", STR_SSL_NEW },
};

static void
add_str(struct scan *s, uint64_t va, enum scan_what what)
{
	if (s->nstr == SCAN_MAX_STR)
		s->full = true;
	else
		s->str[s->nstr++] = (struct scan_str){ va, what };
}

/* "ssl" or "SSL" at p, inside [seg, end). */
static void
check_string(struct scan *s, const uint8_t *seg, const uint8_t *p, const uint8_t *end, uint64_t va)
{
	static const char file[] = "ssl_lib.cc", dir[] = "ssl/";
	const uint8_t *q = p;

	if ((size_t)(end - p) >= sizeof(file) && !memcmp(p, file, sizeof(file))) {
		if (p - seg < 4 || memcmp(p - 4, dir, 4))
			return;
		while (q > seg && p - q < 256 && q[-1] >= ' ' && q[-1] < 0x7f)
			q--;
		add_str(s, va - (p - q), STR_BORING_FILE);
		return;
	}
	if (p > seg && p[-1] != 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i].name) + 1;

		if ((size_t)(end - p) >= n && !memcmp(p, names[i].name, n))
			add_str(s, va, names[i].what);
	}
}

/* lea N(%rsi),%rax; ret  with N of a TLS record's overhead: 16, 17, 24 */
static void
check_len_fn(struct scan *s, const uint8_t *p, uint64_t va)
{
	if (p[0] != 0x48 || p[1] != 0x8d || p[2] != 0x46 ||
	    (p[3] != 16 && p[3] != 17 && p[3] != 24))
		return;
	if (p[4] != 0xc3 && !(p[4] == 0x5d && p[5] == 0xc3))
		return;
	if (s->nlen_fn == SCAN_MAX_LEN_FN)
		s->full = true;
	else
		s->len_fn[s->nlen_fn++] = va;
}

/* Bytes 4..7 of a pclntab: zero, zero, 1 (x86: instructions of any length), 8 (pointer size). */
static inline void
check_pcln(struct scan *s, const struct elf *e, const uint8_t *p)
{
	if (get32(p + 4) != 0x08010000 || p[1] != 0xff || p[2] != 0xff || p[3] != 0xff)
		return;
	if (p[0] != 0xfb && p[0] != 0xfa && p[0] != 0xf0 && p[0] != 0xf1)
		return;
	if (s->npcln < SCAN_MAX_PCLN)
		s->pcln[s->npcln++] = p - e->p;
}

/* What may begin at one of 16 bytes at p, of which one more follows, as a bit mask:
 * "ss" of a string, and the middle of a length function. */
static inline unsigned
mask_pairs(const uint8_t *p, bool strings, bool code)
{
#ifdef __SSE2__
	const __m128i lower = _mm_set1_epi8(0x20), s = _mm_set1_epi8('s');
	__m128i a = _mm_loadu_si128((const __m128i *)p),
	    b = _mm_loadu_si128((const __m128i *)(p + 1));
	__m128i ss = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(a, lower), s),
	    _mm_cmpeq_epi8(_mm_or_si128(b, lower), s));
	__m128i lea = _mm_and_si128(_mm_cmpeq_epi8(a, _mm_set1_epi8((char)0x8d)),
	    _mm_cmpeq_epi8(b, _mm_set1_epi8(0x46)));

	if (!strings)
		ss = _mm_setzero_si128();
	return _mm_movemask_epi8(code ? _mm_or_si128(ss, lea) : ss);
#else
	unsigned m = 0;

	for (int i = 0; i < 16; i++)
		m |= (unsigned)((strings && (p[i] | 32) == 's' && (p[i + 1] | 32) == 's') ||
		    (code && p[i] == 0x8d && p[i + 1] == 0x46)) << i;
	return m;
#endif
}

/* A pair was found at p. */
static void
check_pair(struct scan *s, const uint8_t *seg, const uint8_t *p, const uint8_t *end, uint64_t va)
{
	if (*p != 0x8d) {
		if (end - p > 2 && (p[2] | 32) == 'l')
			check_string(s, seg, p, end, va);
	} else if (p > seg && end - p >= 5) {
		check_len_fn(s, p - 1, va - 1);
	}
}

static void
scan_segment(struct scan *s, const struct elf *e, const struct elf_seg *g, bool strings)
{
	const uint8_t *seg = e->p + g->off, *end = seg + g->size, *p = seg;
	/* segments start anywhere, but tables are 8-aligned in memory */
	size_t at = -g->va & 7;

	for (; end - p >= 32; p += 16) {
		for (unsigned m = mask_pairs(p, strings, g->exec); m; m &= m - 1) {
			const uint8_t *q = p + __builtin_ctz(m);

			check_pair(s, seg, q, end, g->va + (q - seg));
		}
		check_pcln(s, e, p + at);
		check_pcln(s, e, p + at + 8);
	}
	for (; end - p >= 8 && strings; p++)	/* the last few bytes: strings only */
		if ((p[0] | 32) == 's' && (p[1] | 32) == 's')
			check_pair(s, seg, p, end, g->va + (p - seg));
}

bool
scan_has(const struct scan *s, enum scan_what what)
{
	for (size_t i = 0; i < s->nstr; i++)
		if (s->str[i].what == what)
			return true;
	return false;
}

/* --- references to the strings ---------------------------------------------- */

struct refs {
	struct scan *s;
	uint64_t lo, hi;	/* the strings lie in [lo, hi] */
};

static void
add_ref(const struct refs *r, uint64_t va, uint64_t target, unsigned reg)
{
	struct scan *s = r->s;

	if (target < r->lo || target > r->hi)
		return;
	for (size_t i = 0; i < s->nstr; i++) {
		if (s->str[i].va != target)
			continue;
		if (s->nref == SCAN_MAX_REF)
			s->full = true;
		else
			s->ref[s->nref++] = (struct scan_ref){ va, i, reg };
		return;
	}
}

/* lea disp32(%rip),%r64 among 16 bytes: 48 or 4c, 8d, ModRM 00 reg 101. */
static inline unsigned
mask_lea(const uint8_t *p)
{
#ifdef __SSE2__
	__m128i a = _mm_loadu_si128((const __m128i *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)(p + 1));
	__m128i c = _mm_loadu_si128((const __m128i *)(p + 2));

	a = _mm_cmpeq_epi8(_mm_and_si128(a, _mm_set1_epi8((char)0xfb)), _mm_set1_epi8(0x48));
	b = _mm_cmpeq_epi8(b, _mm_set1_epi8((char)0x8d));
	c = _mm_cmpeq_epi8(_mm_and_si128(c, _mm_set1_epi8((char)0xc7)), _mm_set1_epi8(5));
	return _mm_movemask_epi8(_mm_and_si128(a, _mm_and_si128(b, c)));
#else
	unsigned m = 0;

	for (int i = 0; i < 16; i++)
		m |= (unsigned)((p[i] & 0xfb) == 0x48 && p[i + 1] == 0x8d &&
		    (p[i + 2] & 0xc7) == 5) << i;
	return m;
#endif
}

/* mov imm32,%r32 among 16 bytes, where imm32's top byte is that of lo or hi. */
static inline unsigned
mask_mov(const uint8_t *p, uint8_t lo, uint8_t hi)
{
#ifdef __SSE2__
	__m128i a = _mm_loadu_si128((const __m128i *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)(p + 4));

	a = _mm_cmpeq_epi8(_mm_and_si128(a, _mm_set1_epi8((char)0xf8)), _mm_set1_epi8((char)0xb8));
	b = _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8(lo)),
	    _mm_cmpeq_epi8(b, _mm_set1_epi8(hi)));
	return _mm_movemask_epi8(_mm_and_si128(a, b));
#else
	unsigned m = 0;

	for (int i = 0; i < 16; i++)
		m |= (unsigned)((p[i] & 0xf8) == 0xb8 && (p[i + 4] == lo || p[i + 4] == hi)) << i;
	return m;
#endif
}

static void
scan_refs(const struct refs *r, const struct elf *e, const struct elf_seg *g)
{
	const uint8_t *seg = e->p + g->off, *end = seg + g->size, *p;
	/* ET_EXEC: an address may be an immediate */
	bool absolute = e->type == 2 && r->hi <= UINT32_MAX;

	for (p = seg; end - p >= 32; p += 16) {
		unsigned m = mask_lea(p), n = absolute ? mask_mov(p, r->lo >> 24, r->hi >> 24) : 0;

		for (; m; m &= m - 1) {
			const uint8_t *q = p + __builtin_ctz(m);
			uint64_t va = g->va + (q - seg);

			add_ref(r, va, va + 7 + (int32_t)get32(q + 3),
			    (q[2] >> 3 & 7) | (q[0] & 4) << 1);
		}
		for (; n; n &= n - 1) {
			const uint8_t *q = p + __builtin_ctz(n);

			add_ref(r, g->va + (q - seg), get32(q + 1), q[0] & 7);
		}
	}
}

static int
by_ref_va(const void *a, const void *b)
{
	const struct scan_ref *x = a, *y = b;

	return x->va < y->va ? -1 : x->va > y->va;
}

void
scan_file(struct scan *s, const struct elf *e)
{
	struct refs r = { s, UINT64_MAX, 0 };

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < e->nseg; i++)
		if (!e->seg[i].write || e->seg[i].exec)
			scan_segment(s, e, &e->seg[i], true);
	if (e->relro.size)	/* Go's tables in a position-independent program */
		scan_segment(s, e, &e->relro, false);
	for (size_t i = 0; i < s->nstr; i++) {
		r.lo = s->str[i].va < r.lo ? s->str[i].va : r.lo;
		r.hi = s->str[i].va > r.hi ? s->str[i].va : r.hi;
	}
	for (unsigned i = 0; i < e->nseg && s->nstr; i++)
		if (e->seg[i].exec)
			scan_refs(&r, e, &e->seg[i]);
	qsort(s->ref, s->nref, sizeof(*s->ref), by_ref_va);
}

/* --- where functions start ---------------------------------------------------- */

static int
by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Whether a call target at p looks like one: aligned, or behind padding or a return. */
static bool
is_start(const struct elf *e, uint64_t va)
{
	const uint8_t *p = elf_at(e, va - 1, 1);

	return va % 16 == 0 || (p && (*p == 0xcc || *p == 0x90 || *p == 0xc3 || *p == 0xf4));
}

/* Which of 16 bytes may begin a call (e8), or that or a jump (e9). */
static inline unsigned
mask_calls(const uint8_t *p, bool jumps)
{
#ifdef __SSE2__
	__m128i a = _mm_loadu_si128((const __m128i *)p);

	if (jumps)
		a = _mm_and_si128(a, _mm_set1_epi8((char)0xfe));
	return _mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_set1_epi8((char)0xe8)));
#else
	unsigned m = 0;

	for (int i = 0; i < 16; i++)
		m |= (unsigned)((jumps ? p[i] & 0xfe : p[i]) == 0xe8) << i;
	return m;
#endif
}

/* Shows each call, or jump, of five bytes in a segment; each() ends that by false. */
static bool
scan_branches(const struct elf *e, const struct elf_seg *g, bool jumps,
    bool (*each)(void *, uint64_t at, uint64_t to), void *arg)
{
	const uint8_t *seg = e->p + g->off, *end = seg + g->size, *p;

	for (p = seg; end - p >= 5; p += 16) {
		unsigned m = end - p >= 20 ? mask_calls(p, jumps) : 0xffff;

		for (; m; m &= m - 1) {
			const uint8_t *q = p + __builtin_ctz(m);

			if (end - q < 5)
				break;
			if ((jumps ? *q & 0xfe : *q) == 0xe8 &&
			    !each(arg, g->va + (q - seg),
			    g->va + (q - seg) + 5 + (int32_t)get32(q + 1)))
				return false;
		}
	}
	return true;
}

/* What is called, as a bit for each address of [lo, hi). */
struct called {
	const struct elf *e;
	uint64_t lo, hi, *seen;
};

static bool
mark_called(void *arg, uint64_t at, uint64_t to)
{
	struct called *c = arg;

	(void)at;
	if (to >= c->lo && to < c->hi && is_start(c->e, to))
		c->seen[(to - c->lo) / 64] |= 1ull << (to - c->lo) % 64;
	return true;
}

/* The addresses that are marked, in order. */
static bool
list_starts(struct code *c, uint64_t lo, const uint64_t *seen, size_t words)
{
	size_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += __builtin_popcountll(seen[i]);
	if (n > MAX_STARTS || !(c->start = malloc((n + 1) * sizeof(*c->start))))
		return false;
	for (size_t i = 0; i < words; i++)
		for (uint64_t m = seen[i]; m; m &= m - 1)
			c->start[c->nstart++] = lo + i * 64 + __builtin_ctzll(m);
	return true;
}

/* Room for one more, doubled when it is full. */
static bool
add_frame(void *arg, uint64_t start, uint64_t end)
{
	struct code *c = arg;
	void *more;

	if (c->nfn == MAX_STARTS)
		return false;
	if ((c->nfn & (c->nfn - 1)) == 0) {
		more = realloc(c->fn, (c->nfn ? 2 * c->nfn : 1) * sizeof(*c->fn));
		if (!more)
			return false;
		c->fn = more;
	}
	c->fn[c->nfn++] = (struct code_fn){ start, end };
	return true;
}

bool
code_function(const struct code *c, uint64_t va, uint64_t *start, uint64_t *end)
{
	size_t lo = 0, hi = c->nfn;

	if (c->e->nfde)
		return elf_function(c->e, va, start, end);
	while (lo < hi) {	/* the first behind va */
		size_t mid = lo + (hi - lo) / 2;

		if (c->fn[mid].start <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || va >= c->fn[lo - 1].end)
		return false;
	*start = c->fn[lo - 1].start;
	*end = c->fn[lo - 1].end;
	return true;
}

bool
code_open(struct code *c, const struct elf *e, uint64_t lo, uint64_t hi)
{
	uint64_t *seen;
	size_t words;
	bool good;

	memset(c, 0, sizeof(*c));
	c->e = e;
	c->budget = BUDGET;
	if (!e->nfde) {
		elf_frames(e, add_frame, c);
		if (c->nfn)
			qsort(c->fn, c->nfn, sizeof(*c->fn), by_u64);	/* start comes first */
	}
	elf_code_range(e, &lo, &hi);
	if (lo >= hi || hi - lo > MAX_RANGE)
		return true;
	words = (hi - lo + 63) / 64;
	seen = calloc(words, sizeof(*seen));
	if (!seen)
		return false;
	for (unsigned i = 0; i < e->nseg; i++)
		if (e->seg[i].exec)
			scan_branches(e, &e->seg[i], false, mark_called,
			    &(struct called){ e, lo, hi, seen });
	good = list_starts(c, lo, seen, words);
	free(seen);
	return good;
}

void
code_close(struct code *c)
{
	free(c->fn);
	free(c->start);
	c->fn = NULL;
	c->nfn = 0;
	c->start = NULL;
	c->nstart = 0;
}

/* How many starts are <= va. */
static size_t
starts_below(const struct code *c, uint64_t va)
{
	size_t lo = 0, hi = c->nstart;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->start[mid] <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
code_starts(const struct code *c, uint64_t va, uint64_t *start, size_t max)
{
	uint64_t end;
	size_t n = 0;

	if (max && code_function(c, va, start, &end))
		return 1;
	for (size_t i = starts_below(c, va); i > 0 && n < max &&
	    va - c->start[i - 1] < MAX_BACK; i--)
		start[n++] = c->start[i - 1];
	return n;
}

/* --- walking one function ------------------------------------------------------- */

struct walk {
	struct code *c;
	uint64_t start, end;
	bool exact;		/* end is known */
	uint8_t seen[WALK_WINDOW / 8];
	uint32_t todo[WALK_PENDING];
	size_t ntodo;
	bool whole;
};

static bool
is_other_start(const struct walk *w, uint64_t va)
{
	size_t i = starts_below(w->c, va);

	return va != w->start && !w->exact && i > 0 && w->c->start[i - 1] == va;
}

/* Notes a place to visit; one outside the function or where another starts is none. */
static void
walk_to(struct walk *w, uint64_t va)
{
	uint64_t off = va - w->start;

	if (off >= w->end - w->start || is_other_start(w, va) || (w->seen[off / 8] & 1 << off % 8))
		return;
	if (w->ntodo == WALK_PENDING)
		w->whole = false;
	else
		w->todo[w->ntodo++] = off;
}

/* Straight on from va until the flow ends or meets what was seen. */
static bool
walk_run(struct walk *w, uint64_t va, bool (*each)(void *, const struct x86 *), void *arg)
{
	bool called = false;	/* a call, and nothing but padding since */
	struct x86 x;

	for (;;) {
		uint64_t off = va - w->start;
		size_t n;
		const uint8_t *p = elf_span(w->c->e, va, &n);

		if (off >= w->end - w->start || (w->seen[off / 8] & 1 << off % 8))
			return true;
		/* a call that does not return may be the last thing before the next function */
		if (called && is_other_start(w, va))
			return true;
		w->seen[off / 8] |= 1 << off % 8;
		if (w->c->budget == 0 || !p || !x86_decode(&x, p, n, va)) {
			w->whole = false;
			return true;
		}
		w->c->budget--;
		if (!each(arg, &x))
			return false;
		va += x.len;
		if (x.kind == X86_JMP || x.kind == X86_JCC)
			walk_to(w, x.target);
		if (x.kind == X86_JMP || x.kind == X86_JMP_MEM || x.kind == X86_RET ||
		    x.kind == X86_TRAP)
			return true;
		called = x.kind == X86_CALL || x.kind == X86_CALL_MEM ||
		    (called && x.kind == X86_NOP);
	}
}

bool
code_walk(struct code *c, uint64_t start, bool (*each)(void *, const struct x86 *), void *arg)
{
	struct walk w;
	uint64_t s, end;

	memset(&w, 0, sizeof(w));
	w.c = c;
	w.start = start;
	w.end = start + WALK_WINDOW;
	w.whole = true;
	if (code_function(c, start, &s, &end) && s == start) {
		w.exact = true;
		if (end - start > WALK_WINDOW)
			w.whole = false;
		else
			w.end = end;
	}
	w.todo[w.ntodo++] = 0;
	while (w.ntodo)
		if (!walk_run(&w, start + w.todo[--w.ntodo], each, arg))
			break;
	return w.whole;
}

/* --- arguments ------------------------------------------------------------------- */

/* Goes through the first few hundred instructions of a function by every path,
 * each branch target once, carrying a set of registers along. step() changes the
 * set and may end the path by returning false. */
struct path { uint64_t va; unsigned set; };

static void
walk_paths(struct code *c, uint64_t start, unsigned set,
    bool (*step)(void *, const struct x86 *, unsigned *set), void *arg)
{
	struct path todo[64] = { { start, set } };
	uint64_t seen[64];
	size_t ntodo = 1, nseen = 0, steps = 0, i, n;
	const uint8_t *p;
	struct x86 x;

	while (ntodo) {
		struct path a = todo[--ntodo];

		for (; steps < PATH_INSNS && c->budget > 0; steps++, c->budget--) {
			if (!(p = elf_span(c->e, a.va, &n)) || !x86_decode(&x, p, n, a.va) ||
			    !step(arg, &x, &a.set))
				break;
			a.va = x.kind == X86_JMP ? x.target : a.va + x.len;
			if (x.kind == X86_RET || x.kind == X86_TRAP || x.kind == X86_JMP_MEM)
				break;
			for (i = 0; x.kind == X86_JCC && i < nseen && seen[i] != x.target; i++)
				;
			if (x.kind != X86_JCC || i < nseen || nseen == 64 || ntodo == 64)
				continue;
			seen[nseen++] = x.target;
			todo[ntodo++] = (struct path){ x.target, a.set };
		}
	}
}

static bool
live_step(void *arg, const struct x86 *x, unsigned *written)
{
	unsigned reads, writes, *live = arg;

	x86_regs(x, &reads, &writes);
	*live |= reads & ~*written;
	*written |= writes;
	return x->kind != X86_CALL && x->kind != X86_CALL_MEM;
}

unsigned
code_live(struct code *c, uint64_t start)
{
	unsigned live = 0;

	walk_paths(c, start, 0, live_step, &live);
	return live;
}

unsigned
code_args(struct code *c, uint64_t start)
{
	return code_live(c, start) & (X86_BIT(RDI) | X86_BIT(RSI) | X86_BIT(RDX) | X86_BIT(RCX) |
	    X86_BIT(R8) | X86_BIT(R9));
}

/* The set is that of registers that hold the pointer. */
static bool
through_step(void *arg, const struct x86 *x, unsigned *copies)
{
	unsigned reads, writes;
	uint64_t *offsets = arg;
	bool copy = !x->vex && x->modrm && x->mod == 3 && (x->rex & 8) &&
	    ((x->op == 0x89 && (*copies & X86_BIT(x->reg))) ||
	    (x->op == 0x8b && (*copies & X86_BIT(x->rm))));

	if (x->base != X86_NOREG && (*copies & X86_BIT(x->base)) && x->op != 0x8d &&
	    x->disp >= 0 && x->disp < 64)
		*offsets |= 1ull << x->disp;
	x86_regs(x, &reads, &writes);
	*copies &= ~writes;
	if (copy)
		*copies |= X86_BIT(x->op == 0x89 ? x->rm : x->reg);
	return *copies != 0;
}

uint64_t
code_reads_through(struct code *c, uint64_t start, unsigned reg)
{
	uint64_t offsets = 0;

	walk_paths(c, start, X86_BIT(reg), through_step, &offsets);
	return offsets;
}

const char *
code_args_text(unsigned args, char buf[64])
{
	static const struct { uint8_t reg; const char *name; } order[] = {
		{ RDI, "rdi" }, { RSI, "rsi" }, { RDX, "rdx" }, { RCX, "rcx" }, { R8, "r8" },
		{ R9, "r9" },
	};
	size_t n = 0;

	buf[0] = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (args & X86_BIT(order[i].reg))
			n += snprintf(buf + n, 64 - n, "%s%s", n ? " " : "", order[i].name);
	return buf;
}

/* --- calls ------------------------------------------------------------------------- */

struct call_walk { struct code_calls *out; const struct code *c; uint64_t start; };

static bool
note_call(void *arg, const struct x86 *x)
{
	struct call_walk *w = arg;
	uint64_t s, end;

	if (x->kind == X86_JMP || x->kind == X86_JCC) {	/* only those that leave */
		if (code_function(w->c, w->start, &s, &end) ? x->target - s < end - s :
		    x->target - w->start < MAX_BACK &&
		    !bsearch(&x->target, w->c->start ? w->c->start :
		    &x->target, w->c->nstart, sizeof(uint64_t), by_u64))
			return true;
	} else if (x->kind != X86_CALL)
		return true;
	if (w->out->n == CODE_MAX_CALLS) {
		w->out->whole = false;
		return false;
	}
	w->out->call[w->out->n].at = x->va;
	w->out->call[w->out->n++].to = x->target;
	return true;
}

static int
by_at(const void *a, const void *b)
{
	return by_u64(a, b);	/* `at` comes first */
}

/* The imported symbol that a stub of the procedure linkage table at va jumps to. */
static const char *
plt_name(const struct elf *e, uint64_t va)
{
	struct x86 x;
	size_t n;
	const uint8_t *p = elf_span(e, va, &n);

	for (int i = 0; i < 2 && p; i++) {	/* perhaps behind endbr64 */
		if (!x86_decode(&x, p, n, va))
			return NULL;
		if (x.kind == X86_JMP_MEM)
			return x.rip ? elf_slot_name(e, x.target) : NULL;
		if (x.op != 0x0f1e)
			return NULL;
		va += x.len;
		p = elf_span(e, va, &n);
	}
	return NULL;
}

void
code_calls(struct code *c, uint64_t start, struct code_calls *out)
{
	struct call_walk w = { out, c, start };

	out->n = 0;
	out->whole = true;
	out->whole = code_walk(c, start, note_call, &w) && out->whole;
	qsort(out->call, out->n, sizeof(out->call[0]), by_at);
	for (size_t i = 0; i < out->n; i++)
		out->call[i].import = plt_name(c->e, out->call[i].to);
}

bool
code_calls_to(const struct code_calls *calls, uint64_t to)
{
	for (size_t i = 0; i < calls->n; i++)
		if (calls->call[i].to == to)
			return true;
	return false;
}

struct callers {
	uint64_t to, *at;
	size_t n, max;
};

static bool
note_caller(void *arg, uint64_t at, uint64_t to)
{
	struct callers *c = arg;

	if (to == c->to)
		c->at[c->n++] = at;
	return c->n < c->max;
}

size_t
code_callers(const struct elf *e, uint64_t to, uint64_t *at, size_t max)
{
	struct callers c = { to, at, 0, max };

	for (unsigned i = 0; max && i < e->nseg; i++)
		if (e->seg[i].exec && !scan_branches(e, &e->seg[i], true, note_caller, &c))
			break;
	return c.n;
}
