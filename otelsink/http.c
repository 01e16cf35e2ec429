/* http.c - POST with libcurl; see http.h */
#include "otelsink/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Of a response that is read. OTLP 1.9 has clients take 4 MiB; what we use of one is a count and
 * a message, and a receiver that says more than this is no help to listen to. */
enum { REPLY_MAX = 1 << 20 };

struct http {
	const struct endpoint *to;
	bool (*stop)(void *arg);
	void *arg;
	CURL *curl;
	struct curl_slist *headers[2];	/* protobuf, json */
	char error[CURL_ERROR_SIZE];
	char *reply;
	size_t replylen;
	char *packed;
	size_t packedcap;
};

static size_t
on_reply(char *p, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	char *to;

	n *= size;
	if (h->replylen + n > REPLY_MAX)	/* ends the transfer; its status stands */
		return 0;
	if (!(to = realloc(h->reply, h->replylen + n + 1)))
		return 0;
	memcpy(to + h->replylen, p, n);
	h->reply = to;
	h->replylen += n;
	return n;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct http *h = arg;

	(void)a, (void)b, (void)c, (void)d;
	return h->stop(h->arg);
}

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more)
		*list = more;
	return more;
}

static bool
headers_make(struct http *h)
{
	bool good = true;

	for (int json = 0; json < 2; json++) {
		struct curl_slist **l = &h->headers[json];

		good &= add_header(l,
		    json ? "Content-Type: application/json" :
		    "Content-Type: application/x-protobuf");
		good &= add_header(l, "Expect:");	/* no round trip before the body */
		if (h->to->gzip)
			good &= add_header(l, "Content-Encoding: gzip");
		for (size_t i = 0; i < h->to->nheaders; i++)
			good &= add_header(l, h->to->headers[i]);
	}
	return good;
}

struct http *
http_new(const struct endpoint *to, bool (*stop)(void *arg), void *arg)
{
	struct http *h = calloc(1, sizeof(*h));
	CURL *c;

	if (!h)
		return NULL;
	*h = (struct http){ .to = to, .stop = stop, .arg = arg };
	if (!(h->curl = c = curl_easy_init()) || !headers_make(h)) {
		http_free(h);
		return NULL;
	}
	curl_easy_setopt(c, CURLOPT_URL, to->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "agentsight-otelsink/" VERSION);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(to->timeout_ns / 1000000));
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	if (to->ca) {
		curl_easy_setopt(c, CURLOPT_CAINFO, to->ca);
		curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, to->ca);
	}
	if (to->cert)
		curl_easy_setopt(c, CURLOPT_SSLCERT, to->cert);
	if (to->key)
		curl_easy_setopt(c, CURLOPT_SSLKEY, to->key);
	return h;
}

void
http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->headers[0]);
	curl_slist_free_all(h->headers[1]);
	free(h->reply);
	free(h->packed);
	free(h);
}

/* RFC 1952. False: out of memory. */
static bool
pack(struct http *h, const char **body, size_t *n)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)*body, .avail_in = *n };
	size_t bound;
	bool good;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bound = deflateBound(&z, *n);
	if (bound > h->packedcap) {
		free(h->packed);
		h->packedcap = (h->packed = malloc(bound)) ? bound : 0;
	}
	z.next_out = (unsigned char *)h->packed;
	z.avail_out = h->packedcap;
	good = h->packed && deflate(&z, Z_FINISH) == Z_STREAM_END;
	*body = h->packed;
	*n = z.total_out;
	deflateEnd(&z);
	return good;
}

static void
judge_status(struct http *h, long status, bool json, struct http_result *r)
{
	const char *type = NULL;
	curl_off_t wait = 0;

	/* some answer in JSON always */
	if (curl_easy_getinfo(h->curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
		json = strstr(type, "json") ? true : strstr(type, "protobuf") ? false : json;
	if (status >= 200 && status < 300) {
		r->rc = HTTP_TAKEN;
		reply_success(&r->reply, h->reply, h->replylen, json);
		return;
	}
	reply_error(&r->reply, h->reply, h->replylen, json);
	r->rc = status == 429 || (status >= 502 && status <= 504) ? HTTP_RETRY : HTTP_REFUSED;
	if (curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
		r->wait_s = wait;
	snprintf(r->why, sizeof(r->why), "HTTP status %ld%s%s", status,
	    *r->reply.message ? ": " : "", r->reply.message);
}

void
http_post(struct http *h, const char *body, size_t n, bool json, struct http_result *r)
{
	CURLcode rc;
	long status = 0;

	*r = (struct http_result){ .rc = HTTP_RETRY, .wait_s = -1 };
	if (h->to->gzip && !pack(h, &body, &n)) {
		snprintf(r->why, sizeof(r->why), "out of memory");
		return;
	}
	h->replylen = 0;
	h->error[0] = '\0';
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers[json]);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	rc = curl_easy_perform(h->curl);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	/* A status that was read stands, also when the answer is cut behind it: a
	 * receiver that said 200 has the data, and would have it twice. */
	if (rc == CURLE_OK || (status >= 200 && rc != CURLE_ABORTED_BY_CALLBACK)) {
		judge_status(h, status, json, r);
		return;
	}
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		r->rc = HTTP_GIVEN_UP;
	snprintf(r->why, sizeof(r->why), "%s", *h->error ? h->error : curl_easy_strerror(rc));
}
