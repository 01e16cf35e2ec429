/*
 * fds.bpf.h - byte totals of descriptors
 *
 * An entry lives from the first transfer that is seen (for sockets: from
 * connect, accept or listen) to the close. The collector gets the path or the addresses
 * when it is made, and the totals when it goes; in between it reads the map.
 */
#ifndef FDS_BPF_H
#define FDS_BPF_H

#include "emit.bpf.h"
#include "socket.bpf.h"

const volatile bool want_reads = false;	/* totals of what is read from files, too */

enum { FORMAT = 0170000, REGULAR = 0100000, SOCKET = 0140000 };	/* S_IFMT ... */
enum { FDS_FULL_AFTER = 32768 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FDS_FULL_AFTER);
	__type(key, struct fd_key);
	__type(value, struct fd_entry);
} fds SEC(".maps");

/* How many entries a process has, and where the highest is. */
struct owner {
	__s32 n;
	__u32 high;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FDS_FULL_AFTER);
	__type(key, __u32);
	__type(value, struct owner);
} owners SEC(".maps");

/* Entries that ended when the ring was full, until the collector fetches them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);	/* serial */
	__type(value, struct fd_record);
} ended SEC(".maps");

__u32 fds_round;	/* the collector's: counts its looks at the map */

static __u64 fd_serials;

static __always_inline void
fd_end_fill(struct fd_record *r, const struct fd_key *key, const struct fd_entry *e)
{
	record_fill(&r->head, PROC_FD_END, bpf_ktime_get_boot_ns());
	r->head.pid = key->pid;
	r->fd = key->fd;
	r->pad = 0;
	__builtin_memcpy(&r->e, e, sizeof(r->e));
}

/* Removes an entry. False: somebody else did, and hands over its totals. */
static __always_inline bool
fd_remove(struct fd_key *key)
{
	struct owner *o;

	if (bpf_map_delete_elem(&fds, key))
		return false;
	o = bpf_map_lookup_elem(&owners, &key->pid);
	if (o)
		__sync_fetch_and_add(&o->n, -1);
	return true;
}

/* Keeps the totals of an entry that ends until the collector fetches them. */
static __always_inline void
fd_end_later(struct fd_key *key, struct fd_entry *e)
{
	__u64 serial = e->serial, calls = e->calls[0] + e->calls[1];
	__u64 bytes = e->bytes[0] + e->bytes[1];
	struct scratch *s = place_take(&places);
	bool kept = false;

	if (s)
		fd_end_fill(&s->end, key, e);
	if (fd_remove(key)) {
		kept = s && bpf_map_update_elem(&ended, &serial, &s->end, BPF_ANY) == 0;
		if (!kept)
			count_of(key->pid, COUNT_RING_FULL, calls, bytes);
	}
	if (s)
		place_give(&s->taken);
}

/* Removes an entry and hands over its totals. Not static: so the verifier looks at
 * it once. */
__noinline int
fd_end(__u32 pid, __u32 fd)
{
	struct fd_key key = { .pid = pid, .fd = fd };
	struct fd_entry *e = bpf_map_lookup_elem(&fds, &key);
	struct fd_record *r;

	if (!e)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		fd_end_later(&key, e);
		return 0;
	}
	fd_end_fill(r, &key, e);
	if (fd_remove(&key))
		ring_submit(r);
	else
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Tells the collector what a descriptor is. 0, or the reason why it cannot: COUNT_... */
static __always_inline int
fd_emit(struct file *file, struct fd_entry *e, __u32 fd)
{
	struct scratch *s = emit_begin(PROC_FD, 0, 0);
	__u32 at = 0;

	if (!s)
		return COUNT_BUSY;
	s->r.fd = fd;
	s->r.serial = e->serial;
	s->r.b = e->kind;
	if (e->kind == FD_SOCKET) {
		at = add_socket(s, at, (__u64)file_sock(file));
	} else {
		at = add_file(s, at, STR_BASE, file);
		if (file_deleted(file))
			s->r.flags |= EVENT_DELETED;
	}
	at = add_root(s, at);
	return emit_end(s, at) ? 0 : COUNT_RING_FULL;
}

enum { HIGH_TRIES = 8 };

static __always_inline void
owner_add(__u32 pid, __u32 fd)
{
	struct owner *o = bpf_map_lookup_elem(&owners, &pid), fresh = { .high = fd };

	if (!o) {
		bpf_map_update_elem(&owners, &pid, &fresh, BPF_NOEXIST);
		o = bpf_map_lookup_elem(&owners, &pid);
	}
	if (!o)
		return;
	__sync_fetch_and_add(&o->n, 1);
	for (int i = 0; i < HIGH_TRIES; i++) {	/* other threads of the process do it, too */
		__u32 high = *(volatile __u32 *)&o->high;

		if (high >= fd || __sync_val_compare_and_swap(&o->high, high, fd) == high)
			break;
	}
}

/* The entry of a descriptor, made at its first sight. NULL: no room for it. */
static __always_inline struct fd_entry *
fd_get(struct fd_key *key, struct file *file, __u32 kind, __u64 bytes)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u64 born = current_task()->group_leader->start_boottime;
	struct fd_entry *e = bpf_map_lookup_elem(&fds, key), fresh = {};
	int why;

	if (e && e->file == (__u64)file && e->inode == (__u64)inode && e->born == born)
		return e;
	if (e)		/* closed in a way that we did not see */
		fd_end(key->pid, key->fd);
	fresh.file = (__u64)file;
	fresh.inode = (__u64)inode;
	fresh.born = born;
	fresh.kind = kind;
	fresh.serial = __sync_fetch_and_add(&fd_serials, 1) + 1;
	if (bpf_map_update_elem(&fds, key, &fresh, BPF_NOEXIST)) {
		e = bpf_map_lookup_elem(&fds, key);	/* another thread was first */
		if (!e)
			count_add(COUNT_FDS_FULL, 1, bytes);
		return e;
	}
	why = fd_emit(file, &fresh, key->fd);
	if (why) {
		bpf_map_delete_elem(&fds, key);		/* next time, perhaps */
		count_add(why, 1, bytes);
		return NULL;
	}
	owner_add(key->pid, key->fd);
	return bpf_map_lookup_elem(&fds, key);
}

/* Which kind of descriptor we count, -1: none. */
static __always_inline int
fd_kind(struct file *file, int dir)
{
	__u32 mode = BPF_CORE_READ(file, f_inode, i_mode) & FORMAT;

	if (mode == REGULAR)
		return dir == DIR_WRITE || want_reads ? FD_FILE : -1;
	if (mode == SOCKET)
		return socket_wanted(file_sock(file)) ? FD_SOCKET : -1;
	return -1;
}

/* n bytes were transferred. The file, when it is a socket. */
static __noinline struct file *
fd_transfer(__u32 fd, __u32 dir, __u64 n)
{
	struct fd_key key = { .pid = current_tgid(), .fd = fd };
	struct file *file = file_get(current_task(), fd);
	struct fd_entry *e;
	__u64 now, at;
	int kind;

	if (!file || dir > 1 || (kind = fd_kind(file, dir)) < 0)
		return NULL;
	count_add(COUNT_SEEN, 1, n);
	e = fd_get(&key, file, kind, n);
	if (e) {
		at = dir;
		asm volatile("" : "+r"(at));	/* or Linux 6.1 knows of its lower half alone */
		at &= 1;
		now = bpf_ktime_get_boot_ns();
		if (e->round[at] != fds_round) {
			e->round[at] = fds_round;
			e->first[at] = now;
		}
		if (!e->first[at])
			e->first[at] = now;
		e->last[at] = now;
		__sync_fetch_and_add(&e->bytes[at], n);
		__sync_fetch_and_add(&e->calls[at], 1);
	}
	return kind == FD_SOCKET ? file : NULL;
}

/* Which entries a sweep ends: those whose descriptor is closed; those of files, too; all. */
enum sweep { SWEEP_CLOSED, SWEEP_FILES, SWEEP_ALL };

struct fd_sweep {
	__u32 pid, from;
	enum sweep which;
};

static long
fd_sweep_one(__u32 i, struct fd_sweep *w)
{
	struct fd_key key = { .pid = w->pid, .fd = w->from + i };
	struct fd_entry *e = bpf_map_lookup_elem(&fds, &key);

	if (e && (w->which == SWEEP_ALL || (w->which == SWEEP_FILES && e->kind == FD_FILE) ||
	    e->file != (__u64)file_get(current_task(), key.fd)))
		fd_end(key.pid, key.fd);
	return 0;
}

/* Ends entries of the current process from..to. */
static __always_inline void
fd_sweep(__u32 from, __u32 to, enum sweep which)
{
	struct fd_sweep w = {
		.pid = current_tgid(), .from = from, .which = which,
	};
	struct owner *o = bpf_map_lookup_elem(&owners, &w.pid);

	if (!o || o->n <= 0 || o->high < from)
		return;
	if (to > o->high)
		to = o->high;
	bpf_loop(to - from + 1, fd_sweep_one, &w, 0);
}

#endif
