/*
 * cache.c - what was found in a file, kept for the next run; see cache.h
 *
 * An entry is a head, the sites, the refusals and a checksum, as they are in
 * memory: it is only read by the program that wrote it. The sizes of the
 * structures are in the head, so another build finds nothing.
 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "found.h"

enum {
	FORMAT = 4,	/* another one for every change of what finders decide */
	SLOTS = 4096,
	TICK_NS = 50000000
};

struct head {
	char magic[8];
	uint32_t format, head, site, refusal;	/* sizes of the structures */
	uint64_t dev, ino, size, mtime_s, mtime_ns, ctime_s, ctime_ns;
	uint32_t nsite, nrefusal;
	char build_id[64], kind[16];
	char program[32];
};

static const char magic[8] = "AGSITES";

static uint64_t
fnv1a(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; n > 0; n--, p++)
		h = (h ^ *p) * 0x100000001b3;
	return h;
}

static void
fill_head(struct head *h, const struct stat *st)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(h->magic));
	h->format = FORMAT;
	h->head = sizeof(struct head);
	h->site = sizeof(struct find_site);
	h->refusal = sizeof(struct refusal);
	h->dev = st->st_dev;
	h->ino = st->st_ino;
	h->size = st->st_size;
	h->mtime_s = st->st_mtim.tv_sec;
	h->mtime_ns = st->st_mtim.tv_nsec;
	/* whoever owns a file can give it any mtime, but this one the kernel sets */
	h->ctime_s = st->st_ctim.tv_sec;
	h->ctime_ns = st->st_ctim.tv_nsec;
	/* other rules may find other places */
	snprintf(h->program, sizeof(h->program), "%s", VERSION);
}

void *
cache_pack(const struct found *f, const struct stat *st, size_t *n)
{
	size_t sites = f->nsite * sizeof(*f->site), refusals = f->nrefusal * sizeof(*f->refusal);
	uint8_t *p;
	struct head h;
	uint64_t sum;

	*n = sizeof(h) + sites + refusals + sizeof(sum);
	if (!(p = malloc(*n)))
		return NULL;
	fill_head(&h, st);
	h.nsite = f->nsite;
	h.nrefusal = f->nrefusal;
	memcpy(h.build_id, f->build_id, sizeof(h.build_id));
	memcpy(h.kind, f->kind, sizeof(h.kind));
	memcpy(p, &h, sizeof(h));
	if (sites)
		memcpy(p + sizeof(h), f->site, sites);
	if (refusals)
		memcpy(p + sizeof(h) + sites, f->refusal, refusals);
	sum = fnv1a(p, *n - sizeof(sum));
	memcpy(p + *n - sizeof(sum), &sum, sizeof(sum));
	return p;
}

static bool
is_text(const char *s, size_t n)
{
	return memchr(s, 0, n) != NULL;
}

bool
cache_site_valid(const struct find_site *s)
{
	uint8_t go;

	memcpy(&go, &s->go, 1);
	return go <= 1 && s->lib < LIB_MAX && s->role < ROLE_MAX && s->abi < ABI_MAX &&
	    s->at < FIND_AT_MAX &&
	    s->insn < INSN_MAX && is_text(s->name, sizeof(s->name)) &&
	    is_text(s->evidence, sizeof(s->evidence));
}

bool
cache_unpack(struct found *f, const void *buf, size_t n, const struct stat *st)
{
	const uint8_t *p = buf;
	struct head h, want;
	uint64_t sum;

	memset(f, 0, sizeof(*f));
	if (n < sizeof(h) + sizeof(sum))
		return false;
	memcpy(&h, p, sizeof(h));
	memcpy(&sum, p + n - sizeof(sum), sizeof(sum));
	fill_head(&want, st);
	if (memcmp(&h, &want, offsetof(struct head, nsite)) ||
	    memcmp(h.program, want.program, sizeof(h.program)))
		return false;
	if (h.nsite > FIND_MAX_SITES || h.nrefusal > FIND_MAX_REFUSALS ||
	    n != sizeof(h) + h.nsite * sizeof(struct find_site) +
	    h.nrefusal * sizeof(struct refusal) + sizeof(sum) ||
	    sum != fnv1a(p, n - sizeof(sum)))
		return false;
	if (!is_text(h.build_id, sizeof(h.build_id)) || !is_text(h.kind, sizeof(h.kind)))
		return false;
	p += sizeof(h);
	for (uint32_t i = 0; i < h.nsite; i++, p += sizeof(struct find_site)) {
		struct find_site s, *to;

		memcpy(&s, p, sizeof(s));
		if (!cache_site_valid(&s) || !(to = found_site(f)))
			goto damaged;
		*to = s;
	}
	for (uint32_t i = 0; i < h.nrefusal; i++, p += sizeof(struct refusal)) {
		struct refusal r;

		memcpy(&r, p, sizeof(r));
		if (r.lib > LIB_MAX || !is_text(r.reason, sizeof(r.reason)))
			goto damaged;
		found_refuse(f, r.lib, "%s", r.reason);
	}
	memcpy(f->build_id, h.build_id, sizeof(f->build_id));
	memcpy(f->kind, h.kind, sizeof(f->kind));
	if (!f->failed)
		return true;
damaged:
	found_free(f);
	return false;
}

/* What root keeps, for all. */
static const char shared[] = "/var/cache";

/* --- files ------------------------------------------------------------------------- */

/* Our own, or root's: who began as root may be somebody else by now. */
static bool
is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

/* Makes name in dir (AT_FDCWD: an absolute path) when asked to, and opens it if it
 * is our own and nobody else may write to it. */
static int
open_own_dir(int dir, const char *name, mode_t make, bool strict)
{
	struct stat st;
	int fd;

	if (make)
		mkdirat(dir, name, make);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (strict ? O_NOFOLLOW : 0));
	if (fd != -1 && (fstat(fd, &st) == -1 || !is_ours(&st) || (st.st_mode & 022))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Where ours is; decided once, as who we began. */
static const char *
cache_base(void)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	static char path[4096];

	if (*path)
		return path;
	if (base && *base == '/')
		snprintf(path, sizeof(path), "%s", base);
	else if (geteuid() == 0)
		snprintf(path, sizeof(path), "%s", shared);
	else if (home && *home == '/')
		snprintf(path, sizeof(path), "%s/.cache", home);
	return path;
}

/* Anybody may read what root keeps for all; what others keep is theirs. */
static int
open_cache_dir(const char *path, bool make)
{
	mode_t mode = !make ? 0 : strcmp(path, shared) ? 0700 : 0755;
	int up, fd;

	if (!*path)
		return -1;
	up = open_own_dir(AT_FDCWD, path, mode, false);
	if (up == -1)
		return -1;
	fd = open_own_dir(up, "agentsight", mode, true);
	close(up);
	return fd;
}

static void
slot_name(char name[32], const struct stat *st)
{
	uint64_t key[2] = { st->st_dev, st->st_ino };

	snprintf(name, 32, "sites-%03x", (unsigned)(fnv1a((uint8_t *)key, sizeof(key)) % SLOTS));
}

static void *
read_all(int fd, size_t *n)
{
	const size_t max = sizeof(struct head) + FIND_MAX_SITES * sizeof(struct find_site) +
	    FIND_MAX_REFUSALS * sizeof(struct refusal) + 8;
	struct stat st;
	uint8_t *p;
	ssize_t got = 0;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || !is_ours(&st) || (st.st_mode & 022) ||
	    st.st_size <= 0 || (size_t)st.st_size > max || !(p = malloc(st.st_size)))
		return NULL;
	for (*n = 0; *n < (size_t)st.st_size; *n += got)
		if ((got = read(fd, p + *n, st.st_size - *n)) <= 0)
			break;
	return p;
}

static bool
load_from(const char *base, struct found *f, const struct stat *st)
{
	int dir = open_cache_dir(base, false), fd = -1;
	char name[32];
	void *p = NULL;
	bool ok = false;
	size_t n;

	slot_name(name, st);
	if (dir != -1)
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1 && (p = read_all(fd, &n)))
		ok = cache_unpack(f, p, n, st);
	free(p);
	if (fd != -1)
		close(fd);
	if (dir != -1)
		close(dir);
	return ok;
}

bool
cache_load(struct found *f, const struct stat *st)
{
	memset(f, 0, sizeof(*f));
	return load_from(cache_base(), f, st) ||
	    (strcmp(cache_base(), shared) && load_from(shared, f, st));
}

/* The kernel's times move on by up to 10 ms at once. */
static bool
changed_just_now(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - st->st_ctim.tv_sec) * 1000000000LL +
	    now.tv_nsec - st->st_ctim.tv_nsec < TICK_NS;
}

void
cache_store(const struct found *f, const struct stat *st)
{
	const char *base = cache_base();
	int dir = changed_just_now(st) ? -1 : open_cache_dir(base, true), fd = -1;
	char name[32], tmp[64];
	size_t n;
	void *p = cache_pack(f, st, &n);

	slot_name(name, st);
	snprintf(tmp, sizeof(tmp), "%s.%d.tmp", name, (int)getpid());
	if (dir != -1 && p)
		fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd != -1) {
		bool ok = write(fd, p, n) == (ssize_t)n;

		if (!strcmp(base, shared))	/* whatever the umask is */
			ok = fchmod(fd, 0644) == 0 && fchmod(dir, 0755) == 0 && ok;
		ok = close(fd) == 0 && ok;
		if (!ok || renameat(dir, tmp, dir, name) == -1)
			unlinkat(dir, tmp, 0);
	}
	if (dir != -1)
		close(dir);
	free(p);
}
