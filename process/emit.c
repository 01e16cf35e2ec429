/*
 * emit.c - see emit.h
 */
#include <stdio.h>
#include <string.h>

#include "emit.h"
#include "self.h"

bool
emit_begin(struct process *s, struct jput *j, const char *type, const struct record *r,
    uint64_t n, uint64_t bytes)
{
	bool write = probe_extra(&s->probe, j, type, r);
	struct count *c = write ? &s->probe.written : &s->probe.ours;

	c->events += n;
	c->bytes += bytes;
	return write;
}

void
emit_error(struct jput *j, int32_t result)
{
	const char *name = result < 0 ? strerrorname_np(-result) : NULL;
	char text[16];

	if (result >= 0)
		return;
	snprintf(text, sizeof(text), "E%d", -result);
	jput_str(j, "error", name ? name : text);
}

void
emit_mnt_ns(const struct process *s, struct jput *j, uint32_t mnt_ns)
{
	if (mnt_ns && s->mnt_ns && mnt_ns != s->mnt_ns)
		jput_uint(j, "mnt_ns", mnt_ns);
}
