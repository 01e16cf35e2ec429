/* batch.c - resources and batches; see batch.h */
#include "otelsink/batch.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS_KEPT = 8 };	/* buffers kept for the next batch */

const char *const signal_name[SIGNALS] = { "traces", "metrics", "logs" };

/* The messages around the items have the same numbers in all three signals. */
static const struct layout {
	struct field resources, scopes, items;
} layout[SIGNALS] = {
	{ { 1, "resourceSpans" }, { 2, "scopeSpans" }, { 2, "spans" } },
	{ { 1, "resourceMetrics" }, { 2, "scopeMetrics" }, { 2, "metrics" } },
	{ { 1, "resourceLogs" }, { 2, "scopeLogs" }, { 2, "logRecords" } },
};
static const struct field resource_self = { 1, "resource" },
    resource_attributes = { 1, "attributes" };
static const struct field scope_self = { 1, "scope" }, scope_name = { 1, "name" },
    scope_version = { 2, "version" };
static const struct field schema_url = { 3, "schemaUrl" };

struct group {
	struct resource *resource;
	struct line_out items;
};

struct batch {
	struct batch_conf conf;
	struct group *group;
	size_t ngroup, groupcap, last;
	unsigned items;
	size_t bytes, before;
	struct wire wire;
};

struct resource *
resource_new(const struct attrs *a, bool json, struct arena *arena)
{
	struct resource *r = calloc(1, sizeof(*r));
	struct line_out out;
	struct wire w;

	line_out_init(&out, -1);
	wire_init(&w, &out, json, false);
	if (json)
		jput_object(&w.j, NULL);
	w.at[0].list = false;
	attrs_put(&w, resource_attributes, a, arena);
	if (json)
		jput_object_end(&w.j);
	if (!r || out.err || !(r->body = malloc(out.len + 1))) {
		free(r);
		r = NULL;
	} else {
		memcpy(r->body, out.buf ? out.buf : "", out.len);
		r->len = out.len;
		r->refs = 1;
	}
	line_out_free(&out);
	return r;
}

struct resource *
resource_ref(struct resource *r)
{
	r->refs++;
	return r;
}

void
resource_unref(struct resource *r)
{
	if (r && --r->refs == 0) {
		free(r->body);
		free(r);
	}
}

void
request_free(struct request *r)
{
	if (r)
		free(r->body);
	free(r);
}

struct batch *
batch_new(const struct batch_conf *conf)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b)
		b->conf = *conf;
	return b;
}

void
batch_free(struct batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->groupcap; i++) {
		resource_unref(b->group[i].resource);
		line_out_free(&b->group[i].items);
	}
	free(b->group);
	free(b);
}

unsigned
batch_items(const struct batch *b)
{
	return b->items;
}

/* NULL: out of memory. */
static struct group *
group_of(struct batch *b, struct resource *r)
{
	if (b->last < b->ngroup && b->group[b->last].resource == r)
		return &b->group[b->last];
	for (b->last = 0; b->last < b->ngroup; b->last++)
		if (b->group[b->last].resource == r)
			return &b->group[b->last];
	if (b->ngroup == b->groupcap) {
		size_t cap = b->groupcap ? 2 * b->groupcap : GROUPS_KEPT;
		struct group *g = realloc(b->group, cap * sizeof(*g));

		if (!g)
			return NULL;
		b->group = g;
		for (; b->groupcap < cap; b->groupcap++) {
			g[b->groupcap].resource = NULL;
			line_out_init(&g[b->groupcap].items, -1);
		}
	}
	b->group[b->ngroup].resource = resource_ref(r);
	return &b->group[b->ngroup++];
}

struct wire *
batch_item(struct batch *b, struct resource *r)
{
	static struct line_out nowhere;	/* what is written there fails, and is counted at its end */
	struct group *g = group_of(b, r);

	if (!g) {
		nowhere.err = -1;
		wire_init(&b->wire, &nowhere, b->conf.json, false);
		b->before = 0;
		return &b->wire;
	}
	b->before = g->items.len;
	wire_init(&b->wire, &g->items, b->conf.json, g->items.len > 0);
	return &b->wire;
}

size_t
batch_item_end(struct batch *b)
{
	struct line_out *out = b->wire.out;
	size_t n = out->len - b->before;

	if (out->err || n > REQUEST_BYTES - BATCH_BYTES - (1 << 20)) {
		out->len = b->before;
		out->err = 0;
		return 0;
	}
	b->bytes += n;
	b->items++;
	if (b->items >= b->conf.max_items || b->bytes >= BATCH_BYTES)
		batch_seal(b);
	return n;
}

/* --- the body ------------------------------------------------------------------- */

static void
scope_put(struct wire *w, const struct batch *b, struct field items, const struct line_out *from)
{
	const char *schema = semconv_schema(b->conf.semconv);

	wire_open(w, scope_self);
	wire_str(w, scope_name, "agentsight", 10);
	wire_str(w, scope_version, VERSION, strlen(VERSION));
	wire_close(w);
	if (w->json) {
		wire_list(w, items);
		jput_raw(&w->j, NULL, from->buf, from->len);
		wire_list_end(w);
	} else {
		char *to = line_room(w->out, from->len);

		if (to) {
			memcpy(to, from->buf, from->len);
			w->out->len += from->len;
		}
	}
	wire_str(w, schema_url, schema, strlen(schema));
}

static void
resource_put(struct wire *w, const struct resource *r)
{
	char *to;

	if (w->json) {
		jput_raw(&w->j, resource_self.name, r->body, r->len);
		return;
	}
	wire_head(w, resource_self, r->len);
	if ((to = line_room(w->out, r->len))) {
		memcpy(to, r->body, r->len);
		w->out->len += r->len;
	}
}

static struct request *
body_make(struct batch *b)
{
	const struct layout *l = &layout[b->conf.signal];
	const char *schema = semconv_schema(b->conf.semconv);
	struct request *r = calloc(1, sizeof(*r));
	struct line_out out;
	struct wire w;
	char *body;

	line_out_init(&out, -1);
	wire_init(&w, &out, b->conf.json, false);
	if (w.json)
		jput_object(&w.j, NULL);
	w.at[0].list = false;
	wire_list(&w, l->resources);
	for (size_t i = 0; i < b->ngroup; i++) {
		if (!b->group[i].items.len)
			continue;
		wire_open(&w, l->resources);
		resource_put(&w, b->group[i].resource);
		wire_list(&w, l->scopes);
		wire_open(&w, l->scopes);
		scope_put(&w, b, l->items, &b->group[i].items);
		wire_close(&w);
		wire_list_end(&w);
		wire_str(&w, schema_url, schema, strlen(schema));
		wire_close(&w);
	}
	wire_list_end(&w);
	if (w.json)
		jput_object_end(&w.j);
	if (!r || out.err) {
		line_out_free(&out);
		free(r);
		return NULL;
	}
	body = realloc(out.buf, out.len);
	*r = (struct request){ .signal = b->conf.signal, .json = b->conf.json, .items = b->items,
	    .body = body ? body : out.buf, .len = out.len };
	return r;
}

void
batch_seal(struct batch *b)
{
	unsigned n = b->items;
	struct request *r;

	if (!n)
		return;
	r = body_make(b);
	for (size_t i = 0; i < b->ngroup; i++) {
		struct group *g = &b->group[i];

		resource_unref(g->resource);
		g->resource = NULL;
		g->items.len = 0;
		if (i >= GROUPS_KEPT || g->items.cap > 2 * BATCH_BYTES) {
			line_out_free(&g->items);
			line_out_init(&g->items, -1);
		}
	}
	b->ngroup = b->items = 0;
	b->bytes = 0;
	b->conf.sealed(b->conf.arg, r, n);
}
