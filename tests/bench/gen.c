/*
 * gen - deterministic ssl.data lines of made-up LLM API traffic, with its truth
 *
 * Several keep-alive HTTP/1.1 connections are interleaved.  Requests carry
 * JSON bodies written in several SSL_write calls; responses are chunked SSE
 * streams (Anthropic, OpenAI and Gemini dialects), plain JSON or errors, cut
 * into SSL_read events at arbitrary byte boundaries, also inside a UTF-8
 * sequence or a chunk-size line.  A part of the connections carries opaque
 * binary bytes.  All values are made up.
 *
 *   gen [-s SEED] [-m MEGABYTES | -n EXCHANGES] [-c CONNECTIONS]
 *              [-b PERCENT] [-2] [-l] [-L] [-t TRUTH] [-S SUMMARY] >events.ndjson
 *
 * -b  percent of connections that are binary (3)
 * -2  HTTP/2: header blocks by nghttp2, each message of a stream a frame
 * -L  every call is as large as it can be: lines of about 16 KiB
 * -l  all connections share one tid (an event-loop client such as node)
 * -t  one JSON line per exchange with lengths and FNV-1a hashes of the
 *     request body, the de-chunked response body and the assistant's text
 * -S  totals as one JSON object (default: stderr)
 */
#include "jput.h"
#include "line.h"

#include <math.h>
#include <nghttp2/nghttp2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FNV0 14695981039346656037ull
#define CHUNK 16384		/* largest TLS record */

struct buf {
	unsigned char *p;
	size_t n, cap;
};

struct seg {			/* bytes of one direction still to be emitted */
	struct buf b;
	size_t off;
	uint64_t total;		/* bytes of this direction so far */
	char dir;		/* 'w' or 'r' */
};

struct conn {
	int pid, tid, uid, binary, left;	/* left: exchanges on this connection */
	uint64_t id;
	const char *comm;
	struct seg s[2];
	struct buf truth;
	nghttp2_hd_deflater *hpack[2];
	uint32_t stream;
};

static uint64_t rs, clk = 242692590000000ull;
static uint64_t events, obytes, wbytes, rbytes, exchanges, ssemsgs, textbytes, textsum,
    intok, outtok, errors, opaque, sse, authhdr, nconn;

static uint64_t
rnd(void)
{
	uint64_t z = (rs += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t
below(uint64_t n)
{
	return rnd() % n;
}

/* log-uniform in [lo, hi] */
static size_t
lograng(double lo, double hi)
{
	double u = (double)(rnd() >> 11) / 9007199254740992.0;

	return (size_t)exp(log(lo) + u * (log(hi) - log(lo)));
}

static void
need(struct buf *b, size_t n)
{
	if (b->n + n <= b->cap)
		return;
	while (b->n + n > b->cap)
		b->cap = b->cap ? b->cap * 2 : 4096;
	if (!(b->p = realloc(b->p, b->cap)))
		abort();
}

static void
add(struct buf *b, const void *p, size_t n)
{
	need(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

__attribute__((format(printf, 2, 3))) static void
addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	need(b, 1024);
	va_start(ap, fmt);
	n = vsnprintf((char *)b->p + b->n, 1024, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= 1024)
		abort();
	b->n += n;
}

static uint64_t
fnv(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n--)
		h = (h ^ *s++) * 1099511628211ull;
	return h;
}

/* Append about n bytes of prose: plain to t, JSON-escaped to b. */
static void
prose(struct buf *b, struct buf *t, size_t n)
{
	static const char *word[] = { "the", "agent", "reads", "file", "a", "test",
	    "returns", "error", "value", "in", "src/main.c", "function", "and", "then",
	    "we", "fix", "it", "because", "loop", "buffer", "of", "stream", "should",
	    "print", "0x7f", "caf\xc3\xa9", "\xe6\xbc\xa2\xe5\xad\x97", "\xf0\x9f\x99\x82",
	    "\xe2\x80\x94", "na\xc3\xafve" };
	size_t start = b->n;

	while (b->n - start < n) {
		const char *w = word[below(sizeof(word) / sizeof(*word))];
		unsigned r = below(40);

		add(b, w, strlen(w));
		if (t)
			add(t, w, strlen(w));
		if (r == 0) {
			add(b, "\\n", 2);
			if (t)
				add(t, "\n", 1);
		} else if (r == 1) {
			add(b, " \\\"q\\\" ", 7);
			if (t)
				add(t, " \"q\" ", 5);
		} else if (r == 2) {
			add(b, "\\t{ x = y \\\\ z; }\\n", 19);
			if (t)
				add(t, "\t{ x = y \\ z; }\n", 16);
		} else {
			add(b, " ", 1);
			if (t)
				add(t, " ", 1);
		}
	}
}

static int h2;
enum { DATA, HEADERS, SETTINGS = 4, END_STREAM = 1, END_HEADERS = 4 };

static void
frame(struct buf *out, int type, int flags, uint32_t stream, const void *p, size_t n)
{
	unsigned char head[9] = { n >> 16, n >> 8, n, type, flags, stream >> 24, stream >> 16,
	    stream >> 8, stream };

	add(out, head, sizeof(head));
	add(out, p, n);
}

/* The header p, as HTTP/1 has it, as a HEADERS frame; first: its pseudo fields. */
static void
headers(struct conn *c, int dir, struct buf *head, const char *const (*first)[2])
{
	nghttp2_nv nv[24];
	unsigned char block[4096];
	size_t n = 0;
	char *p = strchr((char *)head->p, '\n') + 1, *end;

	for (; (*first)[0]; first++)
		nv[n++] = (nghttp2_nv){ (uint8_t *)(*first)[0], (uint8_t *)(*first)[1],
		    strlen((*first)[0]), strlen((*first)[1]), 0 };
	for (; *p != '\r'; p = end + 2) {
		char *colon = strchr(p, ':');

		end = strstr(p, "\r\n");
		for (char *q = p; q < colon; q++)
			*q |= 32;
		if (!strncmp(p, "host", 4))
			nv[n++] = (nghttp2_nv){ (uint8_t *)":authority", (uint8_t *)colon + 2, 10,
			    end - colon - 2, 0 };
		else if (strncmp(p, "connection", 10) && strncmp(p, "transfer-encoding", 17))
			nv[n++] = (nghttp2_nv){ (uint8_t *)p, (uint8_t *)colon + 2, colon - p,
			    end - colon - 2, 0 };
	}
	n = nghttp2_hd_deflate_hd(c->hpack[dir], block, sizeof(block), nv, n);
	head->n = 0;
	frame(&c->s[dir].b, HEADERS, END_HEADERS, c->stream, block, n);
}

static void
preface(struct conn *c)
{
	c->stream = 1;
	add(&c->s[0].b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	for (int i = 0; i < 2; i++) {
		if (c->hpack[i])
			nghttp2_hd_deflate_del(c->hpack[i]);
		nghttp2_hd_deflate_new(&c->hpack[i], 4096);
		frame(&c->s[i].b, SETTINGS, 0, 0, "", 0);
	}
}

/* A body of one message, or the last of several when it is empty. */
static void
body_put(struct conn *c, int dir, const void *p, size_t n)
{
	const char *at = p;

	if (!h2) {
		add(&c->s[dir].b, p, n);
		return;
	}
	do {
		size_t k = n < CHUNK ? n : CHUNK;

		frame(&c->s[dir].b, DATA, k == n ? END_STREAM : 0, c->stream, at, k);
		at += k;
		n -= k;
	} while (n);
}

static void
chunk(struct conn *c, struct buf *plain, const struct buf *msg)
{
	struct buf *out = &c->s[1].b;

	if (h2) {
		frame(out, DATA, 0, c->stream, msg->p, msg->n);
	} else {
		addf(out, "%zx\r\n", msg->n);
		add(out, msg->p, msg->n);
		add(out, "\r\n", 2);
	}
	add(plain, msg->p, msg->n);
}

static const struct {
	const char *name, *host, *path, *auth, *model;
} prov[] = {
	{ "anthropic", "api.anthropic.com", "/v1/messages", "x-api-key: sk-ant-%s",
	    "claude-sonnet-4-5" },
	{ "openai", "api.openai.com", "/v1/chat/completions", "Authorization: Bearer sk-proj-%s",
	    "gpt-4o" },
	{ "gemini", "generativelanguage.googleapis.com",
	    "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "x-goog-api-key: AIza%s",
	    "gemini-2.5-pro" },
};

static void
exchange(struct conn *c)
{
	static struct buf body, msg, plain, text, scratch, head;
	int p = below(10), kind = below(100), deltas = 0, status = 200;
	long it, ot;
	char key[33], auth[96];
	struct buf *w = &c->s[0].b, *r = &c->s[1].b;
	uint64_t rid = rnd();
	char code[4];

	c->s[0].off = c->s[1].off = w->n = r->n = 0;
	if (h2 && !c->binary && !c->s[0].total)
		preface(c);
	else
		c->stream += 2;
	c->truth.n = 0;
	if (c->binary) {
		size_t a = lograng(30, 5000), b = lograng(30, 60000);
		need(w, a), need(r, b);
		for (size_t i = 0; i < a; i++)
			w->p[i] = rnd();
		for (size_t i = 0; i < b; i++)
			r->p[i] = rnd();
		w->n = a, r->n = b;
		opaque++;
		return;
	}
	p = p < 6 ? 0 : p < 9 ? 1 : 2;
	body.n = msg.n = plain.n = text.n = 0;
	it = 10 + lograng(10, 50000), ot = 0;
	for (int i = 0; i < 32; i++)
		key[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[below(36)];
	key[32] = 0;
	snprintf(auth, sizeof(auth), prov[p].auth, key);

	/* request */
	if (p == 2)
		addf(&body, "{\"contents\":[");
	else
		addf(&body, "{\"model\":\"%s\",\"max_tokens\":4096,\"stream\":%s,\"messages\":[",
		    prov[p].model, kind < 80 ? "true" : "false");
	for (int i = 0, n = 1 + 2 * below(6); i < n; i++) {
		addf(&body, p == 2 ? "%s{\"role\":\"%s\",\"parts\":[{\"text\":\"" :
		    "%s{\"role\":\"%s\",\"content\":\"", i ? "," : "", i % 2 ? "assistant" :
		    "user");
		prose(&body, NULL, lograng(40, 30000));
		addf(&body, p == 2 ? "\"}]}" : "\"}");
	}
	addf(&body, "]}");
	addf(h2 ? &head : w, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: agent/1.0\r\nContent-Type: application/json\r\n"
	    "%s\r\nAccept: */*\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n",
	    prov[p].path, prov[p].host, auth, body.n);
	if (h2)
		headers(c, 0, &head,
		    (const char *const[][2]){ { ":method", "POST" }, { ":scheme", "https" },
		    { ":path", prov[p].path }, { NULL, NULL } });
	body_put(c, 0, body.p, body.n);
	authhdr++;

	/* response */
	if (kind < 80) {
		addf(h2 ? &head : r, "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\n"
		    "Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
		    "request-id: req_%016llx\r\nConnection: keep-alive\r\n\r\n",
		    (unsigned long long)rid);
		if (h2)
			headers(c, 1, &head,
			    (const char *const[][2]){ { ":status", "200" }, { NULL, NULL } });
		deltas = 1 + lograng(3, 600);
		if (p == 0) {
			msg.n = 0;
			addf(&msg, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_%016llx\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[],\"usage\":{\"input_tokens\":%ld,\"output_tokens\":1}}}\n\n", (unsigned long long)rid, prov[p].model, it);
			chunk(c, &plain, &msg);
			msg.n = 0;
			addf(&msg, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n");
			chunk(c, &plain, &msg);
			ssemsgs += 3;
		}
		for (int i = 0; i < deltas; i++) {
			msg.n = 0;
			ot += 4;
			if (p == 0)
				addf(&msg, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"");
			else if (p == 1)
				addf(&msg, "data: {\"id\":\"chatcmpl-%016llx\",\"object\":\"chat.completion.chunk\",\"created\":1795000000,\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"", (unsigned long long)rid, prov[p].model);
			else
				addf(&msg, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"");
			prose(&msg, &text, 4 + below(40));
			if (p == 0)
				addf(&msg, "\"}}\n\n");
			else if (p == 1)
				addf(&msg, "\"},\"finish_reason\":null}]}\n\n");
			else
				addf(&msg, "\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":%ld,\"candidatesTokenCount\":%ld,\"totalTokenCount\":%ld},\"modelVersion\":\"%s\"}\r\n\r\n", it, ot, it + ot, prov[p].model);
			chunk(c, &plain, &msg);
		}
		ssemsgs += deltas;
		msg.n = 0;
		if (p == 0) {
			addf(&msg, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":%ld}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", ot);
			ssemsgs += 3;
		} else if (p == 1) {
			addf(&msg, "data: {\"id\":\"chatcmpl-%016llx\",\"object\":\"chat.completion.chunk\",\"created\":1795000000,\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":%ld,\"completion_tokens\":%ld,\"total_tokens\":%ld}}\n\ndata: [DONE]\n\n", (unsigned long long)rid, prov[p].model, it, ot, it + ot);
			ssemsgs += 2;
		}
		if (msg.n)
			chunk(c, &plain, &msg);
		if (h2)
			body_put(c, 1, "", 0);
		else
			add(r, "0\r\n\r\n", 5);
		sse++;
	} else {
		if (kind >= 95) {
			status = kind == 99 ? 500 : 429;
			addf(&plain, "{\"error\":{\"type\":\"%s\",\"message\":\"made-up failure\"}}",
			    status == 429 ? "rate_limit_error" : "api_error");
			it = 0;
			errors++;
		} else {
			ot = 5 + lograng(5, 2000);
			scratch.n = 0;
			prose(&scratch, &text, ot * 4);
			addf(&plain, p == 0 ? "{\"id\":\"msg_%016llx\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[{\"type\":\"text\",\"text\":\"" :
			    p == 1 ? "{\"id\":\"chatcmpl-%016llx\",\"object\":\"chat.completion\",\"model\":\"%s\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" :
			    "{\"responseId\":\"%016llx\",\"modelVersion\":\"%s\",\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"",
			    (unsigned long long)rid, prov[p].model);
			add(&plain, scratch.p, scratch.n);
			addf(&plain, p == 0 ? "\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":%ld,\"output_tokens\":%ld}}" :
			    p == 1 ? "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":%ld,\"completion_tokens\":%ld}}" :
			    "\"}],\"role\":\"model\"}}],\"usageMetadata\":{\"promptTokenCount\":%ld,\"candidatesTokenCount\":%ld}}", it, ot);
		}
		addf(h2 ? &head : r, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n",
		    status, status == 200 ? "OK" : status == 429 ? "Too Many Requests" :
		    "Internal Server Error", plain.n);
		snprintf(code, sizeof(code), "%d", status);
		if (h2)
			headers(c, 1, &head,
			    (const char *const[][2]){ { ":status", code }, { NULL, NULL } });
		body_put(c, 1, plain.p, plain.n);
	}
	exchanges++;
	textbytes += text.n;
	textsum += fnv(FNV0, text.p, text.n);
	intok += it, outtok += ot;
	addf(&c->truth, "{\"exchange\":%llu,\"serial\":%llu,\"pid\":%d,\"tid\":%d,\"provider\":\"%s\",\"host\":\"%s\","
	    "\"method\":\"POST\",\"path\":\"%s\",\"status\":%d,\"model\":\"%s\",\"sse\":%s,\"request_body\":%zu,\"request_fnv\":\"%016llx\",",
	    (unsigned long long)exchanges, (unsigned long long)c->id, c->pid, c->tid, prov[p].name,
	    prov[p].host, prov[p].path,
	    status, prov[p].model, kind < 80 ? "true" :
	    "false", body.n, (unsigned long long)fnv(FNV0, body.p, body.n));
	addf(&c->truth, "\"response_body\":%zu,\"response_fnv\":\"%016llx\",\"text\":%zu,\"text_fnv\":\"%016llx\",\"input_tokens\":%ld,\"output_tokens\":%ld,\"secret\":\"%s\"}\n",
	    plain.n, (unsigned long long)fnv(FNV0, plain.p, plain.n), text.n,
	    (unsigned long long)fnv(FNV0, text.p, text.n), it, ot, key);
}

static int oneloop, big;
static struct line_out o = { .fd = 1 };

static void
emit(struct conn *c, struct seg *s, size_t n)
{
	struct envelope e = { .timestamp_ns = 1795000000000000000u, .pid = c->pid,
	    .tid = oneloop ? c->pid : c->tid, .uid = c->uid };
	size_t len = o.len;
	struct jput j;
	char conn[64];

	clk += 1000 + below(400000);
	e.timestamp_ns += clk;
	strncpy(e.comm, c->comm, sizeof(e.comm) - 1);
	snprintf(conn, sizeof(conn), "%d:%llx:%llu", c->pid, 0x55d0c0de0000ull + c->id * 64,
	    (unsigned long long)c->id);
	jput_open(&j, &o, "ssl.data");
	jput_envelope(&j, &e);
	jput_str(&j, "conn", conn);
	jput_str(&j, "function", s->dir == 'w' ? "WRITE/SEND" : "READ/RECV");
	jput_uint(&j, "off", s->total);
	jput_uint(&j, "len", n);
	jput_str(&j, "lib", "openssl");
	jput_ms(&j, "latency_ms", 3000 + below(s->dir == 'w' ? 80000 : 20000000));
	jput_bytes(&j, "data", s->b.p + s->off, n);
	obytes += o.len - len + 2;	/* and what jput_close adds */
	jput_close(&j);
	events++;
	*(s->dir == 'w' ? &wbytes : &rbytes) += n;
	s->off += n;
	s->total += n;
}

static void
fresh(struct conn *c, int binpct)
{
	static const char *comms[] = { "HTTP Client", "node", "python3", "curl", "claude" };

	c->id = ++nconn;
	c->pid = oneloop ? 4242 : 1000 + below(4);
	c->tid = 20000 + (int)(nconn % 4000000);
	c->uid = 1000;
	c->comm = comms[oneloop ? 1 : c->pid % 5];
	c->binary = (int)below(100) < binpct;
	c->left = 1 + below(8);
	c->s[0].dir = 'w', c->s[1].dir = 'r';
	c->s[0].total = c->s[1].total = 0;
	exchange(c);
}

/* What was made, in numbers, as one line. */
static void
write_summary(FILE *to)
{
	char sum[17];
	struct line_out out;
	struct jput j;

	line_out_init(&out, fileno(to));
	jput_open(&j, &out, "summary");
	jput_uint(&j, "events", events);
	jput_uint(&j, "output_bytes", obytes);
	jput_uint(&j, "write_bytes", wbytes);
	jput_uint(&j, "read_bytes", rbytes);
	jput_uint(&j, "connections", nconn);
	jput_uint(&j, "exchanges", exchanges);
	jput_uint(&j, "opaque_exchanges", opaque);
	jput_uint(&j, "sse_responses", sse);
	jput_uint(&j, "sse_messages", ssemsgs);
	jput_uint(&j, "errors", errors);
	jput_uint(&j, "auth_headers", authhdr);
	jput_uint(&j, "text_bytes", textbytes);
	snprintf(sum, sizeof(sum), "%016llx", (unsigned long long)textsum);
	jput_str(&j, "text_fnv_sum", sum);
	jput_uint(&j, "input_tokens", intok);
	jput_uint(&j, "output_tokens", outtok);
	jput_close(&j);
	line_flush(&out);
	line_out_free(&out);
}

int
main(int argc, char **argv)
{
	uint64_t limit = 10000000, nex = 0;
	int c, nc = 8, binpct = 3, live;
	const char *tpath = NULL, *spath = NULL;
	FILE *tf = NULL, *sf = stderr;
	struct conn *cs;

	rs = 1;
	while ((c = getopt(argc, argv, "s:m:n:c:b:2lLt:S:h")) != -1)
		switch (c) {
		case 's': rs = strtoull(optarg, 0, 0); break;
		case 'm': limit = (uint64_t)(atof(optarg) * 1e6); break;
		case 'n': nex = strtoull(optarg, 0, 0); break;
		case 'c': nc = atoi(optarg); break;
		case 'b': binpct = atoi(optarg); break;
		case '2': h2 = 1; break;
		case 'L': big = 1; break;
		case 'l': oneloop = 1; break;
		case 't': tpath = optarg; break;
		case 'S': spath = optarg; break;
		default:
			fprintf(stderr, "usage: gen [-s seed] [-m megabytes | -n exchanges] [-c connections]"
			    " [-b binary%%] [-2] [-l] [-L] [-t truth] [-S summary]\n");
			return c == 'h' ? 0 : 2;
		}
	if (nc < 1)
		nc = 1;
	if ((tpath && !(tf = fopen(tpath, "w"))) || (spath && !(sf = fopen(spath, "w")))) {
		perror(tpath);
		return 1;
	}
	cs = calloc(nc, sizeof(*cs));
	for (int i = 0; i < nc; i++)
		fresh(&cs[i], binpct);
	for (live = nc; live > 0;) {
		int i = below(live);
		struct conn *c = &cs[i], tmp;
		struct seg *s = c->s[0].off < c->s[0].b.n ? &c->s[0] : &c->s[1];
		size_t rest = s->b.n - s->off, n;

		if (s->dir == 'w')	/* headers alone or with the body, then full records */
			n = s->off || big ? CHUNK : below(2) ? lograng(100, 1200) : CHUNK;
		else			/* mostly about one SSE message, sometimes a full record */
			n = big ? CHUNK : below(10) ? lograng(1, 1500) : below(2) ?
			    lograng(1500, CHUNK) : CHUNK;
		emit(c, s, n < rest ? n : rest);
		if (c->s[0].off < c->s[0].b.n || c->s[1].off < c->s[1].b.n)
			continue;
		if (tf)
			fwrite(c->truth.p, 1, c->truth.n, tf);
		if (nex ? exchanges + opaque >= nex : obytes >= limit) {
			tmp = cs[i], cs[i] = cs[live - 1], cs[live - 1] = tmp;
			live--;		/* wind down: finish what is under way */
		} else if (--c->left > 0)
			exchange(c);
		else
			fresh(c, binpct);
	}
	line_flush(&o);
	write_summary(sf);
	return o.err != 0;
}
