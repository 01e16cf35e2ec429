/*
 * authstrip - takes credentials out of event lines
 * reads   any events
 * writes  the same lines; values that are credentials are [REDACTED], their
 *         names stay, and all else is byte for byte as it was
 * keeps   the end of each connection's text; lines that end in what may be the
 *         beginning of a credential, at most --hold-max bytes for --hold
 *
 * The parts, from the line inwards: strip.h takes a line apart and keeps those
 * that wait (pending.h); conn.h knows what a line is a piece of (frames.h for
 * HTTP/2); stream.h sees a text that is cut over lines as one (plain.h undoes its
 * escapes); secret.h says where in a text the credentials are, by what they look
 * like, and named.c by the name before them (scan.h is what the two share);
 * rules.h holds what counts as one (name.h, pattern.h, and anchor.h to find them).
 */
#include "strip.h"

#include "jput.h"
#include "stage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static struct authstrip {
	struct rules rules;
	struct strip_conf conf;
	struct strip *strip;
	struct stage_io *io;
	struct opt_list files;
	const char *keyfile;
	bool ids, hash, audit;
	uint64_t hold_ns, hold_bytes;
	int64_t streams;
} self = { .hold_ns = 2000000000, .hold_bytes = 16 << 20, .streams = 4096 };

static const struct opt options[] = {
	{ .kind = OPT_FLAG, .name = "ids", .to = &self.ids,
	    .help = "account and organisation ids, too" },
	{ .kind = OPT_LIST, .name = "rules", .arg = "FILE", .to = &self.files,
	    .help = "more rules (repeatable)" },
	{ .kind = OPT_FLAG, .name = "hash", .to = &self.hash,
	    .help = "write [REDACTED:FINGERPRINT]" },
	{ .kind = OPT_STR, .name = "hash-key", .arg = "FILE", .to = &self.keyfile,
	    .help = "key of the fingerprints (else one for this run)" },
	{ .kind = OPT_FLAG, .name = "audit", .to = &self.audit,
	    .help = "write no lines, only how many credentials each rule found" },
	{ .kind = OPT_TIME, .name = "hold", .arg = "TIME", .to = &self.hold_ns,
	    .help = "how long a line may wait for the next of its connection (2s)" },
	{ .kind = OPT_SIZE, .name = "hold-max", .arg = "SIZE", .to = &self.hold_bytes,
	    .help = "bytes of lines that wait (16M)", .lo = 0, .hi = 1LL << 40 },
	{ .kind = OPT_NUM, .name = "max-flows", .arg = "N", .to = &self.streams,
	    .help = "connections remembered (4096)", .lo = 1, .hi = 1 << 24 },
	{ .kind = OPT_END },
};

static const struct opt_use use = {
	.name = "authstrip", .synopsis = "[OPTION]... [FILE]...",
	.about = "Replaces credentials in event lines by [REDACTED].",
	.tables = { options },
};

static void
read_rules(struct authstrip *a, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	const char *bad;
	size_t cap = 0;

	if (!f)
		opt_fail(&use, "open %s: %s", path, strerror(errno));
	for (unsigned n = 1; getline(&line, &cap, f) >= 0; n++)
		if ((bad = rules_line(&a->rules, line)))
			opt_fail(&use, "%s line %u: %s", path, n, bad);
	if (ferror(f))
		opt_fail(&use, "read %s: %s", path, strerror(errno));
	free(line);
	fclose(f);
}

static void
read_key(struct authstrip *a)
{
	FILE *f;
	size_t n;

	if (!a->keyfile) {
		if (getrandom(a->conf.key, sizeof(a->conf.key), 0) != sizeof(a->conf.key))
			opt_fail(&use, "getrandom: %s", strerror(errno));
		return;
	}
	if (!(f = fopen(a->keyfile, "re")))
		opt_fail(&use, "open %s: %s", a->keyfile, strerror(errno));
	n = fread(a->conf.key, 1, sizeof(a->conf.key), f);
	if (ferror(f))
		opt_fail(&use, "read %s: %s", a->keyfile, strerror(errno));
	if (n < 16)
		opt_fail(&use, "%s: a key has 16 bytes or more", a->keyfile);
	fclose(f);
}

/* A piece of a line that waited: it was counted as not passed before. */
static void
put_piece(void *arg, const char *p, size_t n, bool last)
{
	struct authstrip *a = arg;

	if (!a->audit)
		line_piece(&a->io->out, p, n, last);
	if (last && !a->audit)
		stage_passed(a->io, 1);
}

static void
put_lost(void *arg, size_t n)
{
	loss_add(&((struct authstrip *)arg)->io->loss, "no_memory", 1, n);
}

static int
start(void *arg, struct stage_io *io, int argc, char **argv)
{
	struct authstrip *a = arg;
	const char *bad = rules_init(&a->rules);

	(void)argc;
	(void)argv;
	if (bad)
		opt_fail(&use, "rules: %s", bad);
	for (size_t i = 0; i < a->files.n; i++)
		read_rules(a, a->files.v[i]);
	if ((bad = rules_ready(&a->rules)))
		opt_fail(&use, "rules: %s", bad);
	a->rules.ids = a->ids;
	a->io = io;
	io->silent = a->audit;
	a->conf.rules = &a->rules;
	a->conf.hash = a->hash || a->keyfile;
	if (a->conf.hash)
		read_key(a);
	a->conf.hold_ns = a->hold_ns;
	a->conf.hold_bytes = a->hold_bytes;
	a->conf.streams = a->streams;
	a->conf.piece = put_piece;
	a->conf.lost = put_lost;
	a->conf.arg = a;
	if (!(a->strip = strip_new(&a->conf)))
		opt_fail(&use, "out of memory");
	return 0;
}

static enum verdict
on_event(void *arg, struct event *ev, struct stage_io *io)
{
	struct authstrip *a = arg;

	switch (strip_event(a->strip, ev, io->now)) {
	case STRIP_SAME:
		return a->audit ? STAGE_DROP : STAGE_PASS;
	case STRIP_CHANGED:
		return a->audit ? STAGE_DROP : STAGE_EDIT;
	case STRIP_PENDING:
		break;
	case STRIP_LOST:	/* rather nothing than a credential */
		put_lost(a, ev->len);
	}
	return STAGE_DROP;
}

static bool
on_text(void *arg, const char *s, size_t n, bool last, struct stage_io *io)
{
	struct authstrip *a = arg;
	size_t len;

	if (!(s = strip_text(a->strip, s, n, last, &len))) {
		put_lost(a, n);
		s = "";
		len = 0;
	}
	if (!a->audit)
		line_piece(&io->out, s, len, last);
	return !a->audit;
}

/* One line per rule that found something; rules of one name are one rule. */
static void
report(struct authstrip *a, void (*one)(struct authstrip *, const char *, uint64_t))
{
	const uint64_t *counts = strip_counts(a->strip);

	for (unsigned i = 0; i < a->rules.n; i++) {
		uint64_t n = 0;
		unsigned k;

		for (k = 0; k < i && strcmp(a->rules.rule[k].name, a->rules.rule[i].name); k++)
			;
		if (k < i)
			continue;
		for (; k < a->rules.n; k++)
			if (!strcmp(a->rules.rule[k].name, a->rules.rule[i].name))
				n += counts[k];
		if (n)
			one(a, a->rules.rule[i].name, n);
	}
}

static void
report_line(struct authstrip *a, const char *rule, uint64_t n)
{
	struct jput j;

	jput_open(&j, &a->io->out, "authstrip.audit");
	if (a->io->now)
		jput_uint(&j, "timestamp_ns", a->io->now);
	jput_str(&j, "rule", rule);
	jput_uint(&j, "count", n);
	jput_close(&j);
}

static void
report_stderr(struct authstrip *a, const char *rule, uint64_t n)
{
	(void)a;
	fprintf(stderr, "authstrip: %s %" PRIu64 "\n", rule, n);
}

static void
summary(void *arg, const struct stage_io *io)
{
	struct authstrip *a = arg;

	(void)io;
	report(a, report_stderr);
	fprintf(stderr, "authstrip: %" PRIu64 " lines waited for the next of their stream\n",
	    strip_waited(a->strip));
}

static void
at_end(void *arg, struct stage_io *io)
{
	struct authstrip *a = arg;

	(void)io;
	strip_end(a->strip);
	if (a->audit)
		report(a, report_line);
}

int
main(int argc, char **argv)
{
	const struct stage stage = {
		.use = use, .same_lines = true, .start = start, .event = on_event, .text = on_text,
		.end = at_end, .summary = summary,
	};
	int rc = stage_run(&stage, &self, argc, argv);

	strip_free(self.strip);
	rules_free(&self.rules);
	return rc;
}
