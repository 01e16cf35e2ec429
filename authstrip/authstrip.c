/*
 * authstrip - takes credentials out of event lines
 * reads   any events
 * writes  the same lines; values that are credentials are [REDACTED], their
 *         names stay, and all else is byte for byte as it was
 * keeps   nothing between two lines
 */
#include "names.h"
#include "redact.h"

#include "jput.h"
#include "stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MARK[] = "[REDACTED]";

static struct authstrip {
	struct redact_conf conf;
	struct redact_list found;
	struct line_out scratch;	/* for values that are written anew */
	uint64_t counts[REDACT_RULES];
} self;

static const struct opt options[] = {
	{ .kind = OPT_FLAG, .name = "ids", .to = &self.conf.ids, .help = "account and organisation ids, too" },
	{ .kind = OPT_END },
};

/* Puts text in place of a piece of the line. False: out of memory. */
static bool
replace(struct event *ev, const char *at, size_t n, const char *with, size_t len)
{
	struct value v = { at, n, VALUE_STRING, false };

	return event_replace(ev, v, with, len) == 0;
}

/* The replacement of one span; buf must hold 2 * 64 + 16 bytes. */
static size_t
mark(const struct redact_span *s, char *buf)
{
	size_t n = 0;

	if (s->quote >= 0 && s->quote <= 64) {
		memset(buf, '\\', s->quote);
		n = s->quote;
		buf[n++] = '"';
	}
	memcpy(buf + n, MARK, sizeof(MARK) - 1);
	n += sizeof(MARK) - 1;
	if (s->quote >= 0 && s->quote <= 64) {
		memset(buf + n, '\\', s->quote);
		n += s->quote;
		buf[n++] = '"';
	}
	return n;
}

/* Whether a span that is to be replaced already covers this place. */
static bool
covered(const struct redact_list *l, size_t at)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->v[mid].end <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->v[lo].at <= at;
}

/* A header's value, whatever it is: its name says enough. */
static bool
strip_value(struct authstrip *a, struct event *ev, struct value v, size_t found)
{
	struct redact_list before = a->found;
	const char *p = v.p + 1;
	size_t n = v.n - 2;

	before.n = found;
	if (v.kind != VALUE_STRING || !n || covered(&before, p - ev->line) ||
	    (n == sizeof(MARK) - 1 && !memcmp(p, MARK, n)))
		return true;
	a->counts[REDACT_HEADER]++;
	return replace(ev, p, n, MARK, sizeof(MARK) - 1);
}

static bool
strip_headers(struct authstrip *a, struct event *ev, const char *key)
{
	struct value_iter it, sub;
	struct value name, v, none;
	bool good = true;

	value_iter(&it, event_get(ev, key));
	while (good && value_next(&it, &name, &v)) {
		if (name.kind != VALUE_STRING || !redact_header(&a->conf, name.p + 1, name.n - 2))
			continue;
		if (v.kind == VALUE_STRING)
			good = strip_value(a, ev, v, a->found.n);
		value_iter(&sub, v);
		while (good && v.kind == VALUE_ARRAY && value_next(&sub, &none, &v))
			good = strip_value(a, ev, v, a->found.n);
	}
	return good;
}

/* A base64 value: its bytes are searched, and encoded again when need be. */
static bool
strip_base64(struct authstrip *a, struct event *ev, struct value v)
{
	struct line_out *o = &a->scratch;
	struct redact_list found = { 0 };
	struct jput j = { .out = o };
	const char *bytes;
	char buf[160], *plain, *to;
	size_t all, n, from = 0;
	bool good = true;

	if (v.kind != VALUE_STRING || !(bytes = value_base64(&ev->arena, v, &all)))
		return true;
	redact_find(&a->conf, bytes, all, &found);
	if (!found.n || !(plain = arena_get(&ev->arena, all + found.n * sizeof(buf)))) {
		good = !found.n && !found.nomem;
		redact_list_free(&found);
		return good;
	}
	to = plain;
	for (size_t i = 0; i < found.n; i++) {
		memcpy(to, bytes + from, found.v[i].at - from);
		to += found.v[i].at - from;
		n = mark(&found.v[i], buf);
		memcpy(to, buf, n);
		to += n;
		from = found.v[i].end;
		a->counts[found.v[i].rule]++;
	}
	memcpy(to, bytes + from, all - from);
	to += all - from;
	o->len = 0;
	jput_base64(&j, NULL, plain, to - plain);
	good = !o->err && replace(ev, v.p, v.n, o->buf, o->len);
	redact_list_free(&found);
	return good;
}

static bool
strip_all_base64(struct authstrip *a, struct event *ev)
{
	bool good = true;

	for (size_t i = 0; good && i < ev->nfields; i++) {
		const struct event_field *f = &ev->fields[i];
		struct value_iter it;
		struct value none, v;

		if (f->keylen < 4 || memcmp(f->key + f->keylen - 4, "_b64", 4))
			continue;
		if (f->value.kind == VALUE_STRING)
			good = strip_base64(a, ev, f->value);
		value_iter(&it, f->value);
		while (good && f->value.kind == VALUE_ARRAY && value_next(&it, &none, &v))
			good = strip_base64(a, ev, v);
	}
	return good;
}

/* What an endpoint that hands out tokens says and is told goes as a whole. */
static bool
strip_body(struct authstrip *a, struct event *ev)
{
	static const char *const key[] = { "body", "body_b64", "data", "data_b64" };
	const char *path;
	bool good = true;
	size_t n;

	if (!(path = event_str(ev, "path", &n)) || !redact_token_endpoint(path, n))
		return true;
	for (size_t i = 0; good && i < sizeof(key) / sizeof(*key); i++) {
		struct value v = event_get(ev, key[i]);
		size_t k = 0;

		if (v.kind != VALUE_STRING || v.n <= 2)
			continue;
		/* what was found inside goes with it */
		for (size_t j = 0; j < a->found.n; j++)
			if (a->found.v[j].at < (size_t)(v.p - ev->line) || a->found.v[j].at >= (size_t)(v.p - ev->line) + v.n)
				a->found.v[k++] = a->found.v[j];
		a->found.n = k;
		a->counts[REDACT_BODY]++;
		good = i % 2 ? replace(ev, v.p, v.n, "\"W1JFREFDVEVEXQ==\"", 18) :
		    replace(ev, v.p + 1, v.n - 2, MARK, sizeof(MARK) - 1);
	}
	return good;
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct authstrip *a = arg;
	bool http = event_is(ev, "http.request") || event_is(ev, "http.response");
	bool good;

	redact_find(&a->conf, ev->line, ev->len, &a->found);
	good = !a->found.nomem;
	if (http || event_is(ev, "http.body"))
		good = good && strip_body(a, ev);
	if (http)
		good = good && strip_headers(a, ev, "headers") && strip_headers(a, ev, "trailers");
	for (size_t i = 0; good && i < a->found.n; i++) {
		const struct redact_span *s = &a->found.v[i];
		char buf[160];
		size_t n = mark(s, buf);

		a->counts[s->rule]++;
		good = replace(ev, ev->line + s->at, s->end - s->at, buf, n);
	}
	good = good && strip_all_base64(a, ev);
	if (!good) {
		/* rather nothing than a credential */
		loss_add(&io->loss, "no_memory", 1, ev->len);
		return STAGE_DROP;
	}
	return ev->nedits ? STAGE_EDIT : STAGE_PASS;
}

static void
summary(void *arg, const struct stage_io *io)
{
	const struct authstrip *a = arg;

	(void)io;
	for (int i = 0; i < REDACT_RULES; i++)
		if (a->counts[i])
			fprintf(stderr, "authstrip: %s %" PRIu64 "\n", redact_rule_name[i], a->counts[i]);
}

int
main(int argc, char **argv)
{
	const struct stage stage = {
		.use = {
			.name = "authstrip", .synopsis = "[OPTION]... [FILE]...",
			.about = "Replaces credentials in event lines by [REDACTED].",
			.tables = { options },
		},
		.event = on_event, .summary = summary,
	};
	int rc;

	line_out_init(&self.scratch, -1);
	rc = stage_run(&stage, &self, argc, argv);
	line_out_free(&self.scratch);
	redact_list_free(&self.found);
	return rc;
}
