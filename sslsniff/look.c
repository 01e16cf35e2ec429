/*
 * look.c - see look.h
 */
#include "look.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "find.h"
#include "inspect.h"

/* What the child writes: this, its sites, its refusals. */
struct report {
	uint32_t nsite, nrefusal, failed, error;
	char build_id[64], kind[16];
};

enum {
	REPORT_MAX = sizeof(struct report) + FIND_MAX_SITES * sizeof(struct find_site) +
	    FIND_MAX_REFUSALS * sizeof(struct refusal),
	LONGEST_INSN = 15,
};

/* The child's part. */
static void
look(int fd, int to)
{
	struct report r = { 0 };
	struct found f;

	if (inspect_fd(&f, fd))
		r.error = errno;
	r.nsite = f.nsite;
	r.nrefusal = f.nrefusal;
	r.failed = f.failed;
	memcpy(r.build_id, f.build_id, sizeof(r.build_id));
	memcpy(r.kind, f.kind, sizeof(r.kind));
	apart_say(to, &r, sizeof(r));
	apart_say(to, f.site, f.nsite * sizeof(*f.site));
	apart_say(to, f.refusal, f.nrefusal * sizeof(*f.refusal));
}

static bool
sites_hold(int fd, const struct found *f)
{
	for (size_t i = 0; i < f->nsite; i++) {
		const struct find_site *s = &f->site[i];
		uint8_t code[LONGEST_INSN];
		ssize_t got = pread(fd, code, sizeof(code), s->off);

		if (got <= 0 || !apart_is_run(fd, s->off, &s->va) || !point_begins(s, code, got))
			return false;
	}
	return true;
}

/* --- what the child says ------------------------------------------------------------ */

static bool
is_text(const char *s, size_t n)
{
	return memchr(s, 0, n) != NULL;
}

/* False: no child of ours says this. */
static bool
take_report(const struct apart *a, struct found *f)
{
	const uint8_t *p = a->said + sizeof(struct report);
	struct report r;

	if (a->n < sizeof(r))
		return false;
	memcpy(&r, a->said, sizeof(r));
	if (r.nsite > FIND_MAX_SITES || r.nrefusal > FIND_MAX_REFUSALS || r.error > 4095 ||
	    a->n != sizeof(r) + r.nsite * sizeof(struct find_site) +
	    r.nrefusal * sizeof(struct refusal) ||
	    !is_text(r.build_id, sizeof(r.build_id)) || !is_text(r.kind, sizeof(r.kind)))
		return false;
	for (uint32_t i = 0; i < r.nsite; i++, p += sizeof(struct find_site)) {
		struct find_site *to = found_site(f), s;

		memcpy(&s, p, sizeof(s));
		if (!to || !cache_site_valid(&s))
			return false;
		*to = s;
	}
	for (uint32_t i = 0; i < r.nrefusal; i++, p += sizeof(struct refusal)) {
		struct refusal s;

		memcpy(&s, p, sizeof(s));
		if (s.lib > LIB_MAX || !is_text(s.reason, sizeof(s.reason)))
			return false;
		found_refuse(f, s.lib, "%s", s.reason);
	}
	memcpy(f->build_id, r.build_id, sizeof(f->build_id));
	memcpy(f->kind, r.kind, sizeof(f->kind));
	f->failed |= r.failed != 0;
	errno = r.error;
	return true;
}

static void
refuse(struct found *f, const char *why)
{
	found_free(f);
	found_refuse(f, LIB_MAX, "%s", why);
	f->unseen = true;
}

static void
judge(struct look *l, struct found *f, const char *why)
{
	if (!why && !take_report(&l->apart, f))
		why = "not looked at: the process that is to do so said something else";
	if (!why && !errno && !sites_hold(l->fd, f))
		why = "what was found in it does not hold: it was changed meanwhile";
	if (why) {
		errno = 0;
		refuse(f, why);
	} else if (!errno && l->use_cache && !f->failed && *f->kind) {
		cache_store(f, &l->st);
		errno = 0;
	}
}

int
look_begin(struct look *l, int fd, bool use_cache, uid_t uid)
{
	*l = (struct look){ .fd = fd, .use_cache = use_cache };
	if (fstat(fd, &l->st))
		return -1;
	if (use_cache && cache_load(&l->found, &l->st)) {
		l->cached = sites_hold(fd, &l->found);
		if (l->cached)
			return 0;
		found_free(&l->found);
	}
	return apart_begin(&l->apart, fd, look, REPORT_MAX, uid);
}

bool
look_wait(struct look *l, int ms)
{
	return l->cached || apart_wait(&l->apart, ms);
}

int
look_end(struct look *l, struct found *f)
{
	const char *why;

	memset(f, 0, sizeof(*f));
	if (l->cached) {
		*f = l->found;
		return 0;
	}
	why = apart_end(&l->apart);
	errno = 0;
	judge(l, f, why);
	apart_free(&l->apart);
	return errno ? -1 : 0;
}

int
look_at(struct found *f, int fd, bool use_cache, uid_t uid)
{
	struct look l;

	memset(f, 0, sizeof(*f));
	if (look_begin(&l, fd, use_cache, uid))
		return -1;
	look_wait(&l, -1);
	return look_end(&l, f);
}
