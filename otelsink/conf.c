/* conf.c - options and variables; see conf.h */
#include "otelsink/conf.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const part[SIGNALS] = { "TRACES", "METRICS", "LOGS" };

typedef char *getter(const char *name);

static const char *
get_plain(getter *get, const char *name)
{
	const char *v = get(name);

	return v && *v ? v : NULL;
}

enum { NAME_SIZE = 80 };

/* OTEL_EXPORTER_OTLP_TRACES_WHAT, or where that is not set OTEL_EXPORTER_OTLP_WHAT, in name. */
static const char *
name_for(getter *get, int signal, const char *what, char name[NAME_SIZE])
{
	const char *v;

	snprintf(name, NAME_SIZE, "OTEL_EXPORTER_OTLP_%s_%s", part[signal], what);
	if ((v = get_plain(get, name)))
		return v;
	snprintf(name, NAME_SIZE, "OTEL_EXPORTER_OTLP_%s", what);
	return get_plain(get, name);
}

static const char *
get_for(getter *get, int signal, const char *what)
{
	char name[NAME_SIZE];

	return name_for(get, signal, what, name);
}

/* Whether this signal is the first for which that variable counts: what is wrong with one is
 * said once. Its name in name. */
static bool
is_first_for(getter *get, int signal, const char *what, char name[NAME_SIZE])
{
	char before[NAME_SIZE];

	name_for(get, signal, what, name);
	for (int i = 0; i < signal; i++) {
		name_for(get, i, what, before);
		if (!strcmp(before, name))
			return false;
	}
	return true;
}

__attribute__((format(printf, 1, 2))) static const char *
wrong(const char *fmt, ...)
{
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

static void
ignored(const char *what, const char *value)
{
	fprintf(stderr, "otelsink: %s cannot be '%.200s': ignored, the default counts\n", what,
	    value);
}

static void
ignored_for(getter *get, int signal, const char *what, const char *value)
{
	char name[NAME_SIZE];

	if (is_first_for(get, signal, what, name))
		ignored(name, value);
}

static uint64_t
get_ms(const char *name, const char *v, uint64_t missing)
{
	long long ms;

	if (!v)
		return missing;
	if (opt_number(v, 1, 1000000000, &ms)) {
		ignored(name, v);
		return missing;
	}
	return ms * 1000000ull;
}

/* --- lists: key=value,key=value -------------------------------------------------- */

static int
hex(unsigned char c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

static char *
decode(const char *p, size_t n)
{
	char *s = malloc(n + 1), *d = s;

	if (!s)
		return NULL;
	while (n && isspace((unsigned char)*p))
		p++, n--;
	while (n && isspace((unsigned char)p[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
			*d++ = hex(p[i + 1]) << 4 | hex(p[i + 2]);
			i += 2;
		} else {
			*d++ = p[i];
		}
	}
	*d = '\0';
	return s;
}

/* Calls pair for each; false from it: that one makes no sense, which is said unless name
 * is NULL. Both strings become the callee's when it returns true. */
static void
each_pair(const char *name, const char *list, bool (*pair)(void *arg, char *key, char *value),
    void *arg)
{
	while (list && *list) {
		size_t n = strcspn(list, ",");
		const char *eq = memchr(list, '=', n);
		char *key = eq ? decode(list, eq - list) : NULL;
		char *value = eq ? decode(eq + 1, n - (eq + 1 - list)) : NULL;

		if (n && (!key || !value || !*key || !pair(arg, key, value))) {
			if (name)	/* it may be a secret */
				fprintf(stderr, "otelsink: %s: an entry is not NAME=VALUE;"
				    " ignored\n", name);
			free(key);
			free(value);
		}
		list += n + (list[n] == ',');
	}
}

static bool
is_token(const char *s)
{
	for (; *s; s++)		/* RFC 9110 section 5.6.2 */
		if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	return true;
}

static bool
header_add(struct endpoint *e, const char *key, const char *value)
{
	char **list, *line;
	size_t n = strlen(key) + strlen(value) + 3;

	if (!*key || !is_token(key) || strpbrk(value, "\r\n"))
		return false;
	if (!(list = realloc(e->headers, (e->nheaders + 1) * sizeof(*list))))
		return false;
	e->headers = list;
	if (!(line = malloc(n)))
		return false;
	/* curl leaves out a header without a value, unless it ends in a semicolon */
	snprintf(line, n, *value ? "%s: %s" : "%s;", key, value);
	list[e->nheaders++] = line;
	return true;
}

static bool
take_header(void *arg, char *key, char *value)
{
	if (!header_add(arg, key, value))
		return false;
	free(key);
	free(value);
	return true;
}

static bool
take_attribute(void *arg, char *key, char *value)
{
	struct attrs *a = arg;

	if (a->n >= ATTRS_MAX / 2 || utf8_valid(value, strlen(value)) != strlen(value) ||
	    utf8_valid(key, strlen(key)) != strlen(key))
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!strcmp(a->at[i].key, key)) {
			free((void *)(uintptr_t)a->at[i].p);
			a->at[i].p = value;
			a->at[i].n = strlen(value);
			free(key);
			return true;
		}
	}
	attr_text(a, key, value, strlen(value));
	return true;
}

/* --- endpoints ------------------------------------------------------------------- */

/* base: /v1/traces goes behind its path. NULL, or what is wrong. */
static const char *
url_make(struct endpoint *e, int signal, const char *url, bool base)
{
	static const char *const path[SIGNALS] = { "/v1/traces", "/v1/metrics", "/v1/logs" };
	const char *add = base ? path[signal] : "";
	CURLU *u = curl_url();
	char *scheme = NULL, *had = NULL;
	const char *bad = NULL;
	size_t n;

	if (!u || curl_url_set(u, CURLUPART_URL, url, 0) ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    (strcmp(scheme, "http") && strcmp(scheme, "https")))
		bad = wrong("endpoint '%.200s' is not an http or https URL", url);
	else if (curl_url_get(u, CURLUPART_PATH, &had, 0) == CURLUE_OK && base) {
		char full[2048];

		for (n = strlen(had); n && had[n - 1] == '/'; n--)
			;
		snprintf(full, sizeof(full), "%.*s%s", (int)n, had, add);
		curl_url_set(u, CURLUPART_PATH, full, 0);
	}
	curl_free(had);
	had = NULL;
	if (!bad && (curl_url_get(u, CURLUPART_URL, &had, 0) || !(e->url = strdup(had))))
		bad = wrong("endpoint '%.200s' cannot be used", url);
	curl_free(had);
	curl_free(scheme);
	curl_url_cleanup(u);
	return bad;
}

static const char *
endpoint_url(struct endpoint *e, int signal, const struct conf_given *o, getter *get)
{
	char name[80];
	const char *v;

	if (o->endpoint)
		return url_make(e, signal, o->endpoint, true);
	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%s_ENDPOINT", part[signal]);
	if ((v = get_plain(get, name)))
		return url_make(e, signal, v, false);
	v = get_plain(get, "OTEL_EXPORTER_OTLP_ENDPOINT");
	return url_make(e, signal, v ? v : "http://localhost:4318", true);
}

static const char *
endpoint_protocol(struct endpoint *e, int signal, const char *given, getter *get)
{
	const char *v = given ? given : get_for(get, signal, "PROTOCOL");

	if (v && !strcmp(v, "http/json"))
		e->json = true;
	else if (v && !strcmp(v, "grpc"))
		return "OTLP over gRPC is not spoken here: http/protobuf or http/json"
		    " (collectors listen on port 4318)";
	else if (v && strcmp(v, "http/protobuf") && given)
		return wrong("protocol '%.50s' is not known: http/protobuf, http/json", v);
	else if (v && strcmp(v, "http/protobuf"))
		ignored_for(get, signal, "PROTOCOL", v);
	return NULL;
}

static const char *
endpoint_compression(struct endpoint *e, int signal, const char *given, getter *get)
{
	const char *v = given ? given : get_for(get, signal, "COMPRESSION");

	if (v && !strcmp(v, "gzip"))
		e->gzip = true;
	else if (v && strcmp(v, "none") && given)
		return wrong("compression '%.50s' is not known: gzip, none", v);
	else if (v && strcmp(v, "none"))
		ignored_for(get, signal, "COMPRESSION", v);
	return NULL;
}

static const char *
endpoint_headers(struct endpoint *e, int signal, const struct conf_given *o, getter *get)
{
	char name[NAME_SIZE];

	if (!o->headers.n)
		each_pair(is_first_for(get, signal, "HEADERS", name) ? name : NULL,
		    get_for(get, signal, "HEADERS"),
		    take_header, e);
	for (size_t i = 0; i < o->headers.n; i++) {
		const char *eq = strchr(o->headers.v[i], '=');
		char *key = eq ? strndup(o->headers.v[i], eq - o->headers.v[i]) : NULL;
		bool good = key && header_add(e, key, eq + 1);

		free(key);
		if (!good)
			return "--header is NAME=VALUE, without line breaks";
	}
	return NULL;
}

static const char *
readable(const char *path)
{
	FILE *f = path ? fopen(path, "re") : NULL;

	if (path && !f)
		return wrong("certificate or key %.300s: %m", path);
	if (f)
		fclose(f);
	return NULL;
}

static uint64_t
endpoint_timeout(int signal, getter *get)
{
	const char *v = get_for(get, signal, "TIMEOUT");
	long long ms = 10000;

	if (v && opt_number(v, 1, 1000000000, &ms)) {
		ignored_for(get, signal, "TIMEOUT", v);
		ms = 10000;
	}
	return ms * 1000000ull;
}

static const char *
endpoint_read(struct conf *c, int signal, const struct conf_given *o, getter *get)
{
	struct endpoint *e = &c->to[signal];
	char name[40];
	const char *bad, *v;

	snprintf(name, sizeof(name), "OTEL_%s_EXPORTER", part[signal]);
	v = get_plain(get, name);
	e->wanted = !v || strcmp(v, "none");
	if (v && strcmp(v, "none") && strcmp(v, "otlp"))
		ignored(name, v);
	if ((bad = endpoint_url(e, signal, o, get)) ||
	    (bad = endpoint_protocol(e, signal, o->protocol, get)) ||
	    (bad = endpoint_compression(e, signal, o->compression, get)) ||
	    (bad = endpoint_headers(e, signal, o, get)))
		return bad;
	e->timeout_ns = o->timeout_ns ? o->timeout_ns : endpoint_timeout(signal, get);
	e->ca = o->ca ? o->ca : get_for(get, signal, "CERTIFICATE");
	e->cert = o->cert ? o->cert : get_for(get, signal, "CLIENT_CERTIFICATE");
	e->key = o->key ? o->key : get_for(get, signal, "CLIENT_KEY");
	if ((bad = readable(e->ca)) || (bad = readable(e->cert)) || (bad = readable(e->key)))
		return bad;
	return NULL;
}

/* --- the rest -------------------------------------------------------------------- */

static void
content_read(struct conf *c, bool given, const char *v)
{
	static const struct { const char *word; bool spans, logs; } word[] = {
		{ "true", true, true }, { "span_and_event", true, true },
		{ "span_only", true, false },
		{ "event_only", false, true }, { "false", false, false },
		{ "no_content", false, false },
	};

	c->content_in_spans = c->content_in_logs = given;
	if (given || !v)
		return;
	for (size_t i = 0; i < sizeof(word) / sizeof(*word); i++) {
		if (!strcasecmp(v, word[i].word)) {
			c->content_in_spans = word[i].spans;
			c->content_in_logs = word[i].logs;
			return;
		}
	}
	ignored("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", v);
}

static void
batch_read(struct conf *c, const struct conf_given *o, getter *get)
{
	const char *v = get_plain(get, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
	long long n = 512;

	if (v && opt_number(v, 1, 1000000, &n)) {
		ignored("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", v);
		n = 512;
	}
	c->batch_size = o->batch_size ? o->batch_size : n;
	c->batch_ns = o->batch_ns ? o->batch_ns :
	    get_ms("OTEL_BSP_SCHEDULE_DELAY", get_plain(get, "OTEL_BSP_SCHEDULE_DELAY"),
	    5000000000);
	c->metric_ns = o->metric_ns ? o->metric_ns :
	    get_ms("OTEL_METRIC_EXPORT_INTERVAL", get_plain(get, "OTEL_METRIC_EXPORT_INTERVAL"),
	    60000000000);
}

static void
temporality_read(struct conf *c, const char *v)
{
	if (!v || !strcasecmp(v, "cumulative"))
		c->delta = false;
	else if (!strcasecmp(v, "delta") || !strcasecmp(v, "lowmemory"))
		c->delta = true;
	else
		ignored("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", v);
}

/* Variables of the specification that change nothing here, and why: said, for who set
 * them expects something. A value that is what happens anyway is not worth a word. */
static const struct {
	const char *name, *anyway, *why;
} without_effect[] = {
	{ "OTEL_TRACES_SAMPLER", "always_on parentbased_always_on", "every call is a span" },
	{ "OTEL_TRACES_SAMPLER_ARG", "", "every call is a span" },
	{ "OTEL_PROPAGATORS", "tracecontext,baggage tracecontext baggage,tracecontext",
	    "nothing is sent to those that are observed" },
	{ "OTEL_BSP_EXPORT_TIMEOUT", "", "see --timeout" },
	{ "OTEL_BSP_MAX_QUEUE_SIZE", "", "see --queue" },
	{ "OTEL_BLRP_EXPORT_TIMEOUT", "", "see --timeout" },
	{ "OTEL_BLRP_MAX_QUEUE_SIZE", "", "see --queue" },
	{ "OTEL_BLRP_SCHEDULE_DELAY", "", "see OTEL_BSP_SCHEDULE_DELAY, --batch-time" },
	{ "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "",
	    "see OTEL_BSP_MAX_EXPORT_BATCH_SIZE, --batch-size" },
	{ "OTEL_METRIC_EXPORT_TIMEOUT", "", "see --timeout" },
	{ "OTEL_METRICS_EXEMPLAR_FILTER", "always_off", "there are no exemplars" },
	{ "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram",
	    "buckets are those of the conventions" },
	{ "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "",
	    "attributes are not cut (see --max-memory, --content)" },
	{ "OTEL_ATTRIBUTE_COUNT_LIMIT", "", "attributes are not left out" },
	{ "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "",
	    "attributes are not cut (see --max-memory, --content)" },
	{ "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "", "attributes are not left out" },
	{ "OTEL_SPAN_EVENT_COUNT_LIMIT", "", "events are not left out" },
	{ "OTEL_SPAN_LINK_COUNT_LIMIT", "", "links are not left out" },
	{ "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "", "attributes are not left out" },
	{ "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "", "attributes are not left out" },
	{ "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "",
	    "attributes are not cut (see --max-memory, --content)" },
	{ "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "", "attributes are not left out" },
	{ "OTEL_EXPORTER_OTLP_INSECURE", "", "http or https in the endpoint says it" },
	{ "OTEL_EXPORTER_OTLP_TRACES_INSECURE", "", "http or https in the endpoint says it" },
	{ "OTEL_EXPORTER_OTLP_METRICS_INSECURE", "", "http or https in the endpoint says it" },
	{ "OTEL_EXPORTER_OTLP_LOGS_INSECURE", "", "http or https in the endpoint says it" },
	{ "OTEL_LOG_LEVEL", "info", "see --verbose, --quiet" },
	{ "OTEL_CONFIG_FILE", "", "no configuration file is read" },
	{ "OTEL_EXPERIMENTAL_CONFIG_FILE", "", "no configuration file is read" },
	{ "OTEL_ENTITIES", "", "see OTEL_RESOURCE_ATTRIBUTES" },
};

/* Whether v is one of the words of list. */
static bool
is_among(const char *v, const char *list)
{
	for (size_t n; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (strlen(v) == n && !strncasecmp(v, list, n))
			return true;
	}
	return false;
}

static void
say_without_effect(getter *get)
{
	for (size_t i = 0; i < sizeof(without_effect) / sizeof(*without_effect); i++) {
		const char *v = get_plain(get, without_effect[i].name);

		if (v && !is_among(v, without_effect[i].anyway))
			fprintf(stderr, "otelsink: %s has no effect here: %s\n",
			    without_effect[i].name, without_effect[i].why);
	}
}

const char *
conf_read(struct conf *c, const struct conf_given *o, getter *get)
{
	const char *v, *bad;

	memset(c, 0, sizeof(*c));
	v = get_plain(get, "OTEL_SDK_DISABLED");
	c->disabled = v && !strcasecmp(v, "true");
	each_pair("OTEL_RESOURCE_ATTRIBUTES", get_plain(get, "OTEL_RESOURCE_ATTRIBUTES"),
	    take_attribute, &c->resource);
	c->service = get_plain(get, "OTEL_SERVICE_NAME");
	if (c->service && utf8_valid(c->service, strlen(c->service)) != strlen(c->service)) {
		ignored("OTEL_SERVICE_NAME", "(not UTF-8)");
		c->service = NULL;
	}
	content_read(c, o->content,
	    get_plain(get, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"));
	temporality_read(c, get_plain(get, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"));
	batch_read(c, o, get);
	for (int i = 0; i < SIGNALS; i++)
		if ((bad = endpoint_read(c, i, o, get)))
			return bad;
	if (!c->disabled)
		say_without_effect(get);
	return NULL;
}

void
conf_free(struct conf *c)
{
	for (int i = 0; i < SIGNALS; i++) {
		struct endpoint *e = &c->to[i];

		for (size_t k = 0; k < e->nheaders; k++)
			free(e->headers[k]);
		free(e->headers);
		free(e->url);
	}
	for (size_t i = 0; i < c->resource.n; i++) {
		free((void *)(uintptr_t)c->resource.at[i].key);
		free((void *)(uintptr_t)c->resource.at[i].p);
	}
}
