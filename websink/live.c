/* live.c - event lines to one client; see live.h */
#include "live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { GATHER_MS = 5 };	/* after a wait, so that a burst is not sent line by line */

void
live_init(struct live *l, struct recent *r, uint64_t after)
{
	struct recent_state is = recent_state(r);

	*l = (struct live){ .recent = r, .next = after + 1, .until = is.next };
	/* numbers of another run */
	if (l->next > is.next)
		l->next = 1;
}

void
live_free(struct live *l)
{
	recent_release(l->line);
	l->line = NULL;
}

static void
put_head(struct live *l, int n)
{
	l->part[0] = l->head;
	l->len[0] = n;
	l->at = l->off = 0;
	l->len[1] = l->len[2] = 0;
}

/* Lines have left the memory before they were sent. A client that asks from the
 * beginning missed nothing that it had been promised, but is told as well. */
static int
put_gap(struct live *l, uint64_t first)
{
	uint64_t n = first - l->next;

	l->missed += n;
	if (l->lines && l->next > 1)
		return -1;
	l->next = first;
	if (!l->lines)
		put_head(l, snprintf(l->head, sizeof(l->head),
		    "event: gap\nid: %" PRIu64 "\ndata: %" PRIu64 "\n\n", first - 1, n));
	return 0;
}

static void
put_line(struct live *l, struct recent_line *line)
{
	bool preview = l->preview && line->preview_n;

	l->line = line;
	put_head(l, l->lines ? 0 :
	    snprintf(l->head, sizeof(l->head), "id: %" PRIu64 "\ndata: ", l->next));
	l->part[1] = preview ? line->text + line->n : line->text;
	l->len[1] = preview ? line->preview_n : line->n;
	l->part[2] = l->lines ? "\n" : "\n\n";
	l->len[2] = l->lines ? 1 : 2;
	l->next++;
}

/* The next thing to send into part[]. 1: there is one, 0: not now, -1: no more. */
static int
refill(struct live *l)
{
	uint64_t id = l->next;
	struct recent_line *line;

	recent_release(l->line);
	l->line = NULL;
	if (l->lines && id >= l->until)
		return -1;
	if (!(line = recent_get(l->recent, &id)))
		return 0;
	if (id == l->next) {
		put_line(l, line);
		return 1;
	}
	recent_release(line);
	if (put_gap(l, id))
		return -1;
	return 1;
}

/* Nothing is there: waits. As refill. */
static int
await(struct live *l)
{
	static const struct timespec gather = { .tv_nsec = GATHER_MS * 1000000L };

	switch (recent_wait(l->recent, l->next, LIVE_PING_MS)) {
	case RECENT_MORE:
		nanosleep(&gather, NULL);
		return refill(l);
	case RECENT_IDLE:
		put_head(l, snprintf(l->head, sizeof(l->head), ": still here\n\n"));
		return 1;
	case RECENT_ENDED:
		if (l->end_reported)
			break;
		l->end_reported = true;
		put_head(l, snprintf(l->head, sizeof(l->head), "event: end\ndata: %" PRIu64 "\n\n",
		    l->next - 1));
		return 1;
	case RECENT_STOPPED:
		break;
	}
	return -1;
}

ssize_t
live_read(struct live *l, char *buf, size_t max, bool wait)
{
	size_t n = 0;
	int rc;

	while (n < max) {
		while (l->at < 3 && l->off == l->len[l->at]) {
			l->at++;
			l->off = 0;
		}
		if (l->at < 3 && l->part[l->at]) {
			size_t k = l->len[l->at] - l->off;

			if (k > max - n)
				k = max - n;
			memcpy(buf + n, l->part[l->at] + l->off, k);
			l->off += k;
			n += k;
			continue;
		}
		if ((rc = refill(l)) == 0 && !n && wait && !l->lines)
			rc = await(l);
		if (rc < 0 && !n && l->lines && l->next < l->until)
			return -1;
		if (rc <= 0)
			break;
	}
	return n;
}
