/* meter.c - histograms and counters; see meter.h */
#include "otelsink/meter.h"

#include <stdlib.h>
#include <string.h>

/* opentelemetry/proto/metrics/v1/metrics.proto */
static const struct field metric_self = { 2, "metrics" };
static const struct field metric_name = { 1, "name" }, metric_about = { 2, "description" },
    metric_unit = { 3, "unit" },
    metric_sum = { 7, "sum" }, metric_histogram = { 9, "histogram" };
static const struct field data_points = { 1, "dataPoints" },
    data_temporality = { 2, "aggregationTemporality" },
    sum_monotonic = { 3, "isMonotonic" };
static const struct field number_start = { 2, "startTimeUnixNano" },
    number_time = { 3, "timeUnixNano" },
    number_int = { 6, "asInt" };
static const struct field point_start = { 2, "startTimeUnixNano" },
    point_time = { 3, "timeUnixNano" },
    point_count = { 4, "count" }, point_sum = { 5, "sum" }, point_buckets = { 6, "bucketCounts" },
    point_bounds = { 7, "explicitBounds" }, point_min = { 11, "min" }, point_max = { 12, "max" };
static const struct field number_attributes = { 7, "attributes" },
    point_attributes = { 9, "attributes" };

enum { DELTA = 1, CUMULATIVE = 2 };

struct series {
	struct series *next;
	uint64_t hash;
	char *attributes;	/* encoded, as a field */
	size_t len;
	uint64_t start_ns, time_ns;
	uint64_t count, bucket[BOUNDS + 1];
	double sum, min, max;
};

struct meter {
	struct meter_conf conf;
	struct resource *resource;
	struct series *series[METRICS];
	unsigned n[METRICS];
	bool moved;
	struct line_out scratch;
};

struct meter *
meter_new(const struct meter_conf *conf, struct resource *r)
{
	struct meter *m = calloc(1, sizeof(*m));

	if (m) {
		m->conf = *conf;
		m->resource = resource_ref(r);
		line_out_init(&m->scratch, -1);
	}
	return m;
}

static void
series_free(struct series *s)
{
	while (s) {
		struct series *next = s->next;

		free(s->attributes);
		free(s);
		s = next;
	}
}

void
meter_free(struct meter *m)
{
	if (!m)
		return;
	for (int i = 0; i < METRICS; i++) {
		series_free(m->series[i]);
		*m->conf.total -= m->n[i];
	}
	resource_unref(m->resource);
	line_out_free(&m->scratch);
	free(m);
}

static uint64_t
hash(const char *p, size_t n)
{
	uint64_t h = n, v;

	for (size_t k; n; p += k, n -= k) {
		k = n < 8 ? n : 8;
		v = 0;
		memcpy(&v, p, k);
		h = (h ^ v) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return h;
}

/* In JSON they begin the object of their point. */
static void
attributes_encode(struct meter *m, enum metric metric, const struct attrs *a, struct arena *arena)
{
	struct wire w;

	m->scratch.len = 0;
	m->scratch.err = 0;
	line_room(&m->scratch, 1);	/* so that there is an address, also for none */
	wire_init(&w, &m->scratch, m->conf.json, false);
	w.at[0].list = false;
	attrs_put(&w, semconv_metric(m->conf.semconv, metric)->bounds ? point_attributes :
	    number_attributes, a, arena);
}

static struct series *
series_find(const struct meter *m, enum metric metric)
{
	const struct line_out *enc = &m->scratch;
	uint64_t h = hash(enc->buf, enc->len);
	struct series *s = m->series[metric];

	while (s && (s->hash != h || s->len != enc->len || memcmp(s->attributes, enc->buf, s->len)))
		s = s->next;
	return s;
}

static struct series *
series_add(struct meter *m, enum metric metric, uint64_t since_ns)
{
	const struct line_out *enc = &m->scratch;
	struct series *s;

	if (enc->err || !(s = calloc(1, sizeof(*s))))
		return NULL;
	if (!(s->attributes = malloc(enc->len + 1))) {
		free(s);
		return NULL;
	}
	memcpy(s->attributes, enc->buf, enc->len);
	s->len = enc->len;
	s->hash = hash(enc->buf, enc->len);
	s->start_ns = s->time_ns = since_ns;
	s->next = m->series[metric];
	m->series[metric] = s;
	m->n[metric]++;
	++*m->conf.total;
	return s;
}

static void
observe(struct series *s, const double *bounds, double v)
{
	int i = 0;

	s->min = !s->count || v < s->min ? v : s->min;
	s->max = !s->count || v > s->max ? v : s->max;
	s->sum += v;
	s->count++;
	while (i < BOUNDS && v > bounds[i])	/* upper bounds are part of their bucket */
		i++;
	s->bucket[i]++;
}

bool
meter_add(struct meter *m, enum metric metric, const struct attrs *a, const struct measured *v,
    struct arena *arena)
{
	static const struct attrs overflow = { .n = 1,
	    .at = { { .key = "otel.metric.overflow", .kind = ATTR_BOOL, .i = 1 } } };
	const struct metric_info *info = semconv_metric(m->conf.semconv, metric);
	struct series *s;

	if (!info)
		return true;
	attributes_encode(m, metric, a, arena);
	if (!(s = series_find(m, metric)) &&
	    (m->n[metric] >= METER_SERIES || *m->conf.total >= METER_TOTAL)) {
		attributes_encode(m, metric, &overflow, arena);
		s = series_find(m, metric);
	}
	if (!s && !(s = series_add(m, metric, v->since_ns)))
		return false;
	if (info->bounds)
		observe(s, info->bounds, v->value);
	else
		s->sum += v->value;
	if (v->time_ns > s->time_ns)
		s->time_ns = v->time_ns;
	if (v->since_ns < s->start_ns)
		s->start_ns = v->since_ns;
	m->moved = true;
	return true;
}

/* --- writing ------------------------------------------------------------------ */

static void
attributes_put(struct wire *w, const struct series *s)
{
	char *to = line_room(w->out, s->len);

	if (!to || !s->len)
		return;
	memcpy(to, s->attributes, s->len);
	w->out->len += s->len;
	w->j.comma = true;
}

static void
point_put(struct wire *w, const struct series *s, const double *bounds)
{
	wire_open(w, data_points);
	attributes_put(w, s);
	if (!bounds) {
		wire_fixed64(w, number_start, s->start_ns);
		wire_fixed64(w, number_time, s->time_ns);
		wire_sfixed64(w, number_int, s->sum);
	} else {
		wire_fixed64(w, point_start, s->start_ns);
		wire_fixed64(w, point_time, s->time_ns);
		wire_fixed64(w, point_count, s->count);
		wire_double(w, point_sum, s->sum);
		wire_fixed64s(w, point_buckets, s->bucket, BOUNDS + 1);
		wire_doubles(w, point_bounds, bounds, BOUNDS);
		wire_double(w, point_min, s->min);
		wire_double(w, point_max, s->max);
	}
	wire_close(w);
}

static void
series_reset(struct series *s)
{
	s->start_ns = s->time_ns;
	s->count = 0;
	s->sum = s->min = s->max = 0;
	memset(s->bucket, 0, sizeof(s->bucket));
}

static void
metric_put(struct meter *m, enum metric metric, struct wire *w)
{
	const struct metric_info *info = semconv_metric(m->conf.semconv, metric);

	wire_open(w, metric_self);
	wire_str(w, metric_name, info->name, strlen(info->name));
	wire_str(w, metric_about, info->about, strlen(info->about));
	wire_str(w, metric_unit, info->unit, strlen(info->unit));
	wire_open(w, info->bounds ? metric_histogram : metric_sum);
	wire_list(w, data_points);
	for (struct series *s = m->series[metric]; s; s = s->next)
		if (!m->conf.delta || s->count || s->sum)
			point_put(w, s, info->bounds);
	wire_list_end(w);
	wire_enum(w, data_temporality, m->conf.delta ? DELTA : CUMULATIVE);
	if (!info->bounds)
		wire_bool(w, sum_monotonic, true);
	wire_close(w);
	wire_close(w);
}

static bool
has_points(const struct meter *m, int metric)
{
	const struct series *s = m->series[metric];

	while (s && m->conf.delta && !s->count && !s->sum)
		s = s->next;
	return s;
}

unsigned
meter_put(struct meter *m, struct batch *b)
{
	unsigned lost = 0;

	if (!m->moved)
		return 0;
	m->moved = false;
	for (int metric = 0; metric < METRICS; metric++) {
		if (!has_points(m, metric))
			continue;
		metric_put(m, metric, batch_item(b, m->resource));
		lost += !batch_item_end(b);
		for (struct series *s = m->series[metric]; s && m->conf.delta; s = s->next)
			series_reset(s);
	}
	return lost;
}
