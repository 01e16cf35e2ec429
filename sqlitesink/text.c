/* text.c - see text.h */
#include "text.h"

#include "lib/flow.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATHS = 16384,			/* remembered, */
	PATHS_BYTES = 2 << 20,		/* and at most so many bytes of them */
};

int64_t
text_id(struct db *db, const void *p, size_t n)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct row r;
	int64_t id;

	if (!EVP_Digest(p, n, sum, &len, EVP_sha256(), NULL)) {
		db->refused = true;
		return 0;
	}
	r = row_of(db, SQL_TEXT_FIND);
	row_blob(&r, "hash", sum, len);
	if (row_get(&r, &id))
		return id;
	r = row_of(db, SQL_TEXT_NEW);
	row_blob(&r, "hash", sum, len);
	row_bytes(&r, "text", p, n);
	return row_run(&r);
}

int64_t
text_of_value(struct db *db, struct event *ev, struct value v)
{
	const char *p;
	size_t n;

	if (v.kind == VALUE_NONE)
		return 0;
	if (v.kind != VALUE_STRING)
		return text_id(db, v.p, v.n);
	if (!v.escaped)
		return text_id(db, v.p + 1, v.n - 2);
	return (p = value_str(&ev->arena, v, &n)) ? text_id(db, p, n) : 0;
}

struct paths {
	struct db *db;
	struct flow_table *known;
	char last[512];		/* the one before: an open is followed by a read */
	size_t lastlen;
	int64_t last_id, last_mnt_ns;
	char *key;		/* scratch: mount namespace and path */
	size_t cap;
};

struct paths *
paths_new(struct db *db)
{
	struct paths *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return NULL;
	ps->db = db;
	if (!(ps->known = flow_new(sizeof(int64_t), PATHS, PATHS_BYTES, NULL, NULL))) {
		free(ps);
		return NULL;
	}
	return ps;
}

void
paths_free(struct paths *ps)
{
	flow_free(ps->known);
	free(ps->key);
	free(ps);
}

static int64_t
path_find(struct paths *ps, int64_t mnt_ns, const void *p, size_t n)
{
	int64_t *known, id;
	struct row r;

	memcpy(ps->key, &mnt_ns, sizeof(mnt_ns));
	memcpy(ps->key + sizeof(mnt_ns), p, n);
	if ((known = flow_find(ps->known, ps->key, sizeof(mnt_ns) + n, 0)))
		return *known;
	r = row_of(ps->db, SQL_PATH_FIND);
	row_bytes(&r, "path", p, n);
	row_int(&r, "mnt_ns", mnt_ns);
	if (!row_get(&r, &id)) {
		r = row_of(ps->db, SQL_PATH_NEW);
		row_bytes(&r, "path", p, n);
		row_int(&r, "mnt_ns", mnt_ns);
		id = row_run(&r);
	}
	if (id && (known = flow_get(ps->known, ps->key, sizeof(mnt_ns) + n, 0))) {
		*known = id;
		flow_charge(ps->known, known, n);
	}
	return id;
}

/* Room for a path of n bytes behind the number of its mount namespace. */
static bool
key_room(struct paths *ps, size_t n)
{
	size_t cap = 2 * (sizeof(int64_t) + n);
	char *p;

	if (ps->key && sizeof(int64_t) + n <= ps->cap)
		return true;
	if (!(p = realloc(ps->key, cap))) {
		ps->db->failed = true;
		return false;
	}
	ps->key = p;
	ps->cap = cap;
	return true;
}

int64_t
path_id(struct paths *ps, int64_t mnt_ns, const void *p, size_t n)
{
	int64_t id;

	if (ps->last_id && mnt_ns == ps->last_mnt_ns && n == ps->lastlen && !memcmp(p, ps->last, n))
		return ps->last_id;
	if (!key_room(ps, n))
		return 0;
	id = path_find(ps, mnt_ns, p, n);
	ps->last_id = n <= sizeof(ps->last) ? id : 0;
	if (ps->last_id) {
		memcpy(ps->last, p, n);
		ps->lastlen = n;
		ps->last_mnt_ns = mnt_ns;
	}
	return id;
}

int64_t
path_of_key(struct paths *ps, struct event *ev, const char *key)
{
	struct value v = event_get(ev, key);
	int64_t mnt_ns = 0;
	const void *p;
	size_t n;

	if (!event_i64(ev, "mnt_ns", &mnt_ns) || mnt_ns < 0)
		mnt_ns = 0;
	if (v.kind == VALUE_STRING && !v.escaped)
		return path_id(ps, mnt_ns, v.p + 1, v.n - 2);
	return (p = event_bytes(ev, key, &n)) ? path_id(ps, mnt_ns, p, n) : 0;
}
