/*
 * otelsink - sends what agents do to an OpenTelemetry backend
 * reads   llm.call, mcp.call, process.fork, process.exec, process.exit, loss
 * writes  nothing on standard output, unless --tee; OTLP over HTTP, or to a file
 * keeps   open conversations with their tools, processes, metrics by agent, and
 *         the batches that wait to be sent; each of these is bounded
 */
#include "lib/stage.h"
#include "otelsink/conf.h"
#include "otelsink/export.h"
#include "otelsink/tracer.h"

#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 100 };

struct otelsink {
	/* options */
	struct conf_given given;
	const char *file, *semconv, *spool_dir;
	uint64_t idle_ns, retry_ns, queue_bytes, spool_bytes, max_memory;
	int64_t max_conversations, max_procs, max_agents;
	/* the rest */
	struct conf conf;
	enum semconv version;
	char host[256];
	struct batch *batch[SIGNALS];
	/* when a batch was first seen with something in it; 0: empty */
	uint64_t since_ns[SIGNALS];
	uint64_t metric_ns;		/* when metrics were sent last */
	struct exporter *exporter[SIGNALS];
	struct export_counts reported[SIGNALS];
	bool hung;			/* a thread did not end: what it uses stays */
	struct spool *spool;
	struct line_out out;		/* --file */
	struct observeds *observeds;
	unsigned series;		/* of metrics, of all agents */
	struct tracer *tracer;
	struct loss_reason measured[LOSS_REASONS];	/* of our losses, what the metrics have */
	struct loss *loss;
	struct event scratch;
};

/* --- out ------------------------------------------------------------------------ */

static void
on_sealed(void *arg, struct request *r, unsigned n)
{
	struct otelsink *self = arg;

	if (!r) {
		loss_add(self->loss, "no_memory", n, 0);
	} else if (self->file) {
		line_put(&self->out, r->body, r->len);
		request_free(r);
	} else {
		exporter_put(self->exporter[r->signal], r);
	}
}

static void
on_metrics_lost(void *arg, unsigned items)
{
	struct otelsink *self = arg;

	loss_add(self->loss, "too_large", items, 0);
}

static void
on_found(void *arg, struct request *r)
{
	struct otelsink *self = arg;

	if (self->exporter[r->signal])
		exporter_put(self->exporter[r->signal], r);
	else
		request_free(r);	/* not wanted now: it stays on disk */
}

static void
report_loss(struct otelsink *self, const char *reason, const struct export_count *now,
    struct export_count *reported)
{
	if (now->items != reported->items)
		loss_add(self->loss, reason, now->items - reported->items,
		    now->bytes - reported->bytes);
	*reported = *now;
}

/* What the threads have counted since. */
static void
gather_losses(struct otelsink *self)
{
	for (int i = 0; i < SIGNALS; i++) {
		struct export_counts now, *reported = &self->reported[i];

		if (!self->exporter[i])
			continue;
		exporter_counts(self->exporter[i], &now);
		report_loss(self, "rejected", &now.rejected, &reported->rejected);
		report_loss(self, "refused", &now.refused, &reported->refused);
		report_loss(self, "unsent", &now.unsent, &reported->unsent);
		report_loss(self, "queue_full", &now.queue_full, &reported->queue_full);
		report_loss(self, "spool_full", &now.spool_full, &reported->spool_full);
		report_loss(self, "spool_lost", &now.spool_lost, &reported->spool_lost);
		*reported = now;
	}
}

/* --- losses as metrics ------------------------------------------------------------- */

static void
measure_loss(struct otelsink *self, const char *stage, const char *reason, const uint64_t by[2],
    uint64_t time_ns)
{
	struct observed *own = observeds_own(self->observeds, &self->scratch.arena);
	struct measured m = { .since_ns = time_ns, .time_ns = time_ns };
	struct attrs a = { .n = 0 };

	attr_str(&a, semconv_name(self->version, NAME_STAGE), stage);
	attr_str(&a, semconv_name(self->version, NAME_REASON), reason);
	for (int i = 0; i < 2 && own; i++) {
		m.value = by[i];
		if (by[i])
			meter_add(own->meter, i ? METRIC_LOST_BYTES : METRIC_LOSSES, &a, &m,
			    &self->scratch.arena);
	}
	arena_reset(&self->scratch.arena);
}

static void
on_loss(struct otelsink *self, struct event *ev, const struct stage_io *io)
{
	uint64_t by[2] = { 0, 0 }, at = event_time(ev);
	const char *stage = event_str(ev, "stage", NULL), *reason = event_str(ev, "reason", NULL);

	event_u64(ev, "events", &by[0]);
	event_u64(ev, "bytes", &by[1]);
	if (stage && reason)
		measure_loss(self, stage, reason, by, at ? at : io->now);
}

static void
measure_self_losses(struct otelsink *self, const struct stage_io *io)
{
	for (unsigned i = 0; i < io->loss.n; i++) {
		const struct loss_reason *now = &io->loss.by[i];
		struct loss_reason *measured = &self->measured[i];
		uint64_t by[2] = { now->events - measured->events, now->bytes - measured->bytes };

		if (by[0] || by[1])
			measure_loss(self, "otelsink", now->reason, by, io->now);
		*measured = *now;
	}
}

static void
put_metrics(struct otelsink *self, const struct stage_io *io)
{
	if (!self->batch[METRICS_SIGNAL])
		return;
	measure_self_losses(self, io);
	observeds_put(self->observeds);
	batch_seal(self->batch[METRICS_SIGNAL]);
}

/* --- stage ---------------------------------------------------------------------- */

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct otelsink *self = arg;

	if (self->conf.disabled)
		return STAGE_PASS;
	if (event_is(ev, "loss"))
		on_loss(self, ev, io);
	else
		tracer_event(self->tracer, ev, io->now);
	return STAGE_PASS;
}

static void
on_tick(void *arg, struct stage_io *io)
{
	struct otelsink *self = arg;
	uint64_t now = export_clock();

	if (self->conf.disabled)
		return;
	for (int i = 0; i < SIGNALS; i++) {
		if (i == METRICS_SIGNAL || !self->batch[i] || !batch_items(self->batch[i])) {
			self->since_ns[i] = 0;
		} else if (!self->since_ns[i]) {
			self->since_ns[i] = now;
		} else if (now - self->since_ns[i] >= self->conf.batch_ns) {
			batch_seal(self->batch[i]);
			self->since_ns[i] = 0;
		}
	}
	gather_losses(self);
	if (now - self->metric_ns >= self->conf.metric_ns) {
		put_metrics(self, io);
		self->metric_ns = now;
	}
	if (self->file)
		line_flush(&self->out);
}

/* Sends what is left, as long as --timeout allows. */
static void
stop_exporters(struct otelsink *self, uint64_t timeout_ns)
{
	uint64_t until = export_clock() + timeout_ns, left = 0;

	for (int i = 0; i < SIGNALS; i++)
		if (self->exporter[i])
			exporter_say_stop(self->exporter[i], until);
	for (int i = 0; i < SIGNALS; i++) {
		struct export_counts c;

		if (!self->exporter[i])
			continue;
		if (!exporter_join(self->exporter[i])) {
			exporter_counts(self->exporter[i], &c);
			if (!self->spool)
				loss_add(self->loss, "unsent", c.waiting, 0);
			self->hung = true;
			continue;
		}
		exporter_counts(self->exporter[i], &c);
		left += c.waiting;
	}
	gather_losses(self);
	if (left)
		fprintf(stderr, "otelsink: %" PRIu64 " items wait in %s for the next time\n", left,
		    self->spool_dir);
	if (self->hung)
		return;
	for (int i = 0; i < SIGNALS; i++) {
		exporter_free(self->exporter[i]);
		self->exporter[i] = NULL;
	}
	spool_close(self->spool);
	self->spool = NULL;
	curl_global_cleanup();
}

static void
on_end(void *arg, struct stage_io *io)
{
	struct otelsink *self = arg;
	uint64_t timeout = 0;

	if (self->conf.disabled)
		return;
	tracer_end(self->tracer, io->now);
	for (int i = 0; i < SIGNALS; i++) {
		if (self->batch[i])
			batch_seal(self->batch[i]);
		if (self->conf.to[i].timeout_ns > timeout)
			timeout = self->conf.to[i].timeout_ns;
	}
	gather_losses(self);
	put_metrics(self, io);
	if (self->file)
		line_flush(&self->out);
	else
		stop_exporters(self, timeout);
}

static int
get_status(void *arg)
{
	struct otelsink *self = arg;

	if (!self->file || !self->out.err ||
	    (self->out.fd == STDOUT_FILENO && line_out_closed(&self->out)))
		return 0;
	fprintf(stderr, "otelsink: write %s: %s\n", self->file, strerror(self->out.err));
	return 1;
}

static void
on_summary(void *arg, const struct stage_io *io)
{
	struct otelsink *self = arg;
	const struct tracer_counts *n = self->tracer ? tracer_counts(self->tracer) : NULL;
	uint64_t sent = 0, requests = 0, retries = 0;

	(void)io;
	if (!n)
		return;
	for (int i = 0; i < SIGNALS; i++) {
		sent += self->reported[i].sent.items;
		requests += self->reported[i].requests;
		retries += self->reported[i].retries;
	}
	fprintf(stderr, "otelsink: %" PRIu64 " spans (%" PRIu64 " calls, %" PRIu64 " tools,"
	    " %" PRIu64 " processes, %" PRIu64
	    " of MCP, %" PRIu64 " agents), %" PRIu64 " log records, %" PRIu64
	    " tools without a result; %" PRIu64
	    " items taken, %" PRIu64 " requests, %" PRIu64 " of them retries\n", n->spans, n->calls,
	    n->tools, n->processes,
	    n->mcp, n->agents, n->records, n->unanswered, sent, requests, retries);
}

/* --- start ---------------------------------------------------------------------- */

static const struct opt_use use;

static void
open_file(struct otelsink *self)
{
	int fd = STDOUT_FILENO;

	if (strcmp(self->file, "-") &&
	    (fd = open(self->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
	    0600)) < 0)
		err(1, "open %s", self->file);
	line_out_init(&self->out, fd);
}

static void
open_spool(struct otelsink *self)
{
	if (self->spool_dir && !(self->spool = spool_open(self->spool_dir, self->spool_bytes))) {
		if (errno == EWOULDBLOCK)
			errx(1, "spool %s: another otelsink uses it", self->spool_dir);
		err(1, "spool %s", self->spool_dir);
	}
}

static void
start_exporters(struct otelsink *self, bool quiet)
{
	for (int i = 0; i < SIGNALS; i++) {
		const struct export_conf conf = { .signal = i, .to = &self->conf.to[i],
		    .queue_bytes = self->queue_bytes / SIGNALS, .retry_ns = self->retry_ns,
		    .spool = self->spool, .quiet = quiet };

		if (self->conf.to[i].wanted && !(self->exporter[i] = exporter_new(&conf)))
			err(1, "start");
	}
	if (self->spool && spool_scan(self->spool, on_found, self))
		err(1, "spool %s", self->spool_dir);
}

static void
start_batches(struct otelsink *self)
{
	for (int i = 0; i < SIGNALS; i++) {
		const struct batch_conf conf = { .signal = i, .json = self->file ||
		    self->conf.to[i].json,
		    .semconv = self->version, .max_items = self->conf.batch_size,
		    .sealed = on_sealed, .arg = self };

		if (self->conf.to[i].wanted && !(self->batch[i] = batch_new(&conf)))
			err(1, "start");
	}
}

static void
start_tracer(struct otelsink *self)
{
	const struct observeds_conf observeds = {
		.who = { .service = self->conf.service, .host = *self->host ? self->host : NULL,
		    .given = &self->conf.resource },
		.meter = { .json = self->file ||
		    self->conf.to[METRICS_SIGNAL].json, .semconv = self->version,
		    .delta = self->conf.delta, .total = &self->series },
		.content = self->conf.content_in_spans,
		.max = self->max_agents,
		.metrics = self->batch[METRICS_SIGNAL],
		.lost = on_metrics_lost,
		.arg = self,
	};
	struct tracer_conf tracer = {
		.semconv = self->version,
		.content_in_spans = self->conf.content_in_spans,
		.content_in_logs = self->conf.content_in_logs,
		.idle_ns = self->idle_ns,
		.max_conversations = self->max_conversations,
		.max_procs = self->max_procs,
		.max_waiting = self->max_procs,
		.max_memory = self->max_memory,
		.spans = self->batch[TRACES],
		.logs = self->batch[LOGS],
		.loss = self->loss,
	};

	if (!(self->observeds = tracer.observeds = observeds_new(&observeds)) ||
	    !(self->tracer = tracer_new(&tracer)))
		err(1, "start");
}

static int
on_start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct otelsink *self = arg;
	const char *bad;

	(void)argc, (void)argv;
	self->loss = &io->loss;
	if (!strcmp(self->semconv, "1.36"))
		self->version = SEMCONV_136;
	else if (!strcmp(self->semconv, "1.41"))
		self->version = SEMCONV_141;
	else
		opt_fail(&use, "--semconv %s: is not known (1.36, 1.41)", self->semconv);
	if (self->file && io->tee && !strcmp(self->file, "-"))
		opt_fail(&use, "--file - and --tee: both write to standard output");
	if (self->file && self->spool_dir)
		opt_fail(&use, "--file and --spool: nothing is sent, so nothing waits");
	if ((bad = conf_read(&self->conf, &self->given, getenv)))
		opt_fail(&use, "%s", bad);
	if (self->version == SEMCONV_136 &&
	    (self->conf.content_in_spans || self->conf.content_in_logs))
		opt_fail(&use, "--semconv 1.36 has no attributes for content");
	if (self->conf.disabled) {
		fprintf(stderr, "otelsink: OTEL_SDK_DISABLED is set: nothing is sent\n");
		return 0;
	}
	if (gethostname(self->host, sizeof(self->host) - 1))
		self->host[0] = '\0';
	signal(SIGPIPE, SIG_IGN);	/* before the threads, which write to sockets */
	event_init(&self->scratch);
	self->metric_ns = export_clock();
	if (self->file) {
		open_file(self);
	} else {
		curl_global_init(CURL_GLOBAL_DEFAULT);	/* reads files of OpenSSL's */
		open_spool(self);
	}
	return 0;
}

static void
on_confine(void *arg, struct sandbox *box)
{
	struct otelsink *self = arg;
	const char *const certificates[] = { getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR") };

	if (self->file)
		return;
	box->needs = SANDBOX_CONNECT | SANDBOX_THREADS | SANDBOX_FILES;
	sandbox_allow_network(box);
	if (self->spool_dir)
		sandbox_allow(box, SANDBOX_WRITE, self->spool_dir);
	for (size_t i = 0; i < 2; i++)
		if (certificates[i])
			sandbox_allow(box, SANDBOX_READ, certificates[i]);
	for (int i = 0; i < SIGNALS; i++) {
		const struct endpoint *to = &self->conf.to[i];
		const char *const own[] = { to->ca, to->cert, to->key };

		for (size_t k = 0; k < 3; k++)
			if (own[k])
				sandbox_allow(box, SANDBOX_READ, own[k]);
	}
}

static void
on_ready(void *arg, struct stage_io *io)
{
	struct otelsink *self = arg;

	if (self->conf.disabled)
		return;
	if (!self->file)
		start_exporters(self, io->quiet);
	start_batches(self);
	start_tracer(self);
}

static void
release(struct otelsink *self)
{
	/* they are there still when the input could not be opened */
	if (!self->hung && (self->exporter[TRACES] || self->exporter[METRICS_SIGNAL] ||
	    self->exporter[LOGS]))
		stop_exporters(self, 0);
	tracer_free(self->tracer);
	observeds_free(self->observeds);
	for (int i = 0; i < SIGNALS; i++)
		batch_free(self->batch[i]);
	if (self->file)
		line_out_free(&self->out);
	event_free(&self->scratch);
	if (!self->hung)
		conf_free(&self->conf);
	free(self->given.headers.v);
}

static struct otelsink sink = {
	.semconv = "1.41",
	.idle_ns = 900000000000,
	.retry_ns = 300000000000,
	.queue_bytes = 64 << 20,
	.spool_bytes = 1 << 30,
	.max_memory = 64 << 20,
	.max_conversations = 4096,
	.max_procs = 16384,
	.max_agents = 1024,
};

static const struct opt options[] = {
	{ .kind = OPT_STR, .name = "endpoint", .arg = "URL", .to = &sink.given.endpoint,
	    .help = "receiver (http://localhost:4318); /v1/traces etc. is added" },
	{ .kind = OPT_STR, .name = "protocol", .arg = "NAME", .to = &sink.given.protocol,
	    .help = "http/protobuf (default), http/json" },
	{ .kind = OPT_LIST, .name = "header", .arg = "NAME=VALUE", .to = &sink.given.headers,
	    .help = "send this header, too" },
	{ .kind = OPT_STR, .name = "compression", .arg = "NAME", .to = &sink.given.compression,
	    .help = "none (default), gzip" },
	{ .kind = OPT_STR, .name = "ca-cert", .arg = "FILE", .to = &sink.given.ca,
	    .help = "certificates to trust, PEM" },
	{ .kind = OPT_STR, .name = "cert", .arg = "FILE", .to = &sink.given.cert,
	    .help = "our certificate, PEM" },
	{ .kind = OPT_STR, .name = "key", .arg = "FILE", .to = &sink.given.key,
	    .help = "its key, PEM" },
	{ .kind = OPT_TIME, .name = "timeout", .arg = "TIME", .to = &sink.given.timeout_ns,
	    .help = "for a request, and for sending the rest at the end (10s)" },
	{ .kind = OPT_STR, .name = "file", .arg = "FILE", .to = &sink.file,
	    .help = "append OTLP JSON lines to FILE (- stdout), send nothing" },
	{ .kind = OPT_STR, .name = "semconv", .arg = "VERSION", .to = &sink.semconv,
	    .help = "names of attributes: 1.41 (default), 1.36" },
	{ .kind = OPT_FLAG, .name = "content", .to = &sink.given.content,
	    .help = "what was said, too: messages, arguments, results" },
	{ .kind = OPT_NUM, .name = "batch-size", .arg = "N", .to = &sink.given.batch_size,
	    .help = "items in a request (512)", .lo = 1, .hi = 1000000 },
	{ .kind = OPT_TIME, .name = "batch-time", .arg = "TIME", .to = &sink.given.batch_ns,
	    .help = "longest wait for more (5s)" },
	{ .kind = OPT_TIME, .name = "metric-time", .arg = "TIME", .to = &sink.given.metric_ns,
	    .help = "how often metrics are sent (60s)" },
	{ .kind = OPT_TIME, .name = "idle", .arg = "TIME", .to = &sink.idle_ns,
	    .help = "a conversation ends without a call for so long (15m)" },
	{ .kind = OPT_TIME, .name = "retry", .arg = "TIME", .to = &sink.retry_ns,
	    .help = "give a request up after so long (5m)" },
	{ .kind = OPT_SIZE, .name = "queue", .arg = "SIZE", .to = &sink.queue_bytes,
	    .help = "requests that wait, in memory (64M)", .lo = 1 << 20, .hi = 1LL << 40 },
	{ .kind = OPT_STR, .name = "spool", .arg = "DIR", .to = &sink.spool_dir,
	    .help = "keep requests there until they are taken" },
	{ .kind = OPT_SIZE, .name = "spool-max", .arg = "SIZE", .to = &sink.spool_bytes,
	    .help = "of all of them (1G)", .lo = 1, .hi = 1LL << 50 },
	{ .kind = OPT_NUM, .name = "max-conversations", .arg = "N", .to = &sink.max_conversations,
	    .help = "remembered (4096)", .lo = 1, .hi = 1 << 24 },
	{ .kind = OPT_NUM, .name = "max-processes", .arg = "N", .to = &sink.max_procs,
	    .help = "remembered (16384)", .lo = 16, .hi = 1 << 24 },
	{ .kind = OPT_SIZE, .name = "max-memory", .arg = "SIZE", .to = &sink.max_memory,
	    .help = "of names, command lines and arguments (64M)", .lo = 1 << 16, .hi = 1LL << 40 },
	{ .kind = OPT_NUM, .name = "max-agents", .arg = "N", .to = &sink.max_agents,
	    .help = "with metrics of their own (1024)", .lo = 1, .hi = 1 << 20 },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "otelsink",
	.synopsis = "[OPTION]... [FILE]...",
	.about = "Sends model calls, tools and processes to OpenTelemetry (OTLP/HTTP).",
	.tables = { options },
};

int
main(int argc, char **argv)
{
	static const struct stage stage = {
		.sink = true,
		.start = on_start,
		.confine = on_confine,
		.ready = on_ready,
		.event = on_event,
		.tick = on_tick,
		.tick_ms = TICK_MS,
		.end = on_end,
		.status = get_status,
		.summary = on_summary,
	};
	struct stage st = stage;
	int rc;

	st.use = use;
	rc = stage_run(&st, &sink, argc, argv);
	release(&sink);
	return rc;
}
