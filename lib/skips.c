/*
 * skips.c - see skips.h
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "skips.h"

int
skips_open(struct skips *s, struct bpf_object *o)
{
	struct bpf_program *p;

	s->n = 0;
	bpf_object__for_each_program(p, o) {
		int fd = bpf_program__fd(p);

		if (fd < 0)
			continue;
		if (s->n == SKIPS_PROGRAMS) {
			errno = E2BIG;
			return -1;
		}
		s->by[s->n++] = (struct skips_program){ .fd = fd, .name = bpf_program__name(p) };
	}
	return 0;
}

uint64_t
skips_read(struct skips *s)
{
	uint64_t more = 0;

	for (unsigned i = 0; i < s->n; i++) {
		struct skips_program *p = &s->by[i];
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(p->fd, &info, &len) ||
		    info.recursion_misses <= p->missed)
			continue;
		more += info.recursion_misses - p->missed;
		p->missed = info.recursion_misses;
	}
	return more;
}

const char *
skips_text(const struct skips *s, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < s->n && n < size; i++)
		if (s->by[i].missed)
			n += snprintf(buf + n, size - n, "%s%s %" PRIu64, n ? ", " : "",
			    s->by[i].name,
			    s->by[i].missed);
	return buf;
}
