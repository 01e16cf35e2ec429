/* kin.c - see kin.h */
#include "kin.h"

#include <errno.h>
#include <arpa/inet.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 16 << 20 };	/* of the socket: some 20000 forks */

/* One message of the kernel: where its parts are. */
enum {
	EVENT_AT = NLMSG_HDRLEN + sizeof(struct cn_msg),
	WHAT_AT = EVENT_AT + offsetof(struct proc_event, what),
	PID_AT = EVENT_AT + offsetof(struct proc_event, event_data.fork.child_pid),
	TGID_AT = EVENT_AT + offsetof(struct proc_event, event_data.fork.child_tgid),
};

/* Lets forks of processes through, not of threads: the rest would fill the socket. */
static int
only_forks(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WHAT_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PID_AT),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TGID_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	/* the filter reads numbers as the network has them */
	code[1].k = htonl(PROC_EVENT_FORK);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

/* Asks the kernel to begin, or to end. */
static int
ask(int fd, uint32_t operation)
{
	struct {
		struct nlmsghdr head;
		struct cn_msg message;
		uint32_t operation;
	} m = {
		.head = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(m.operation) },
		.operation = operation,
	};

	return send(fd, &m, sizeof(m), 0) == sizeof(m) ? 0 : -1;
}

int
kin_open(struct kin *k)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	int room = ROOM, e;

	memset(k, 0, sizeof(*k));
	k->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
	if (k->fd < 0)
		return -1;
	setsockopt(k->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (only_forks(k->fd) == 0 && bind(k->fd, (void *)&self, sizeof(self)) == 0 &&
	    ask(k->fd, PROC_CN_MCAST_LISTEN) == 0)
		return 0;
	e = errno;
	close(k->fd);
	k->fd = -1;
	errno = e;
	return -1;
}

void
kin_close(struct kin *k)
{
	if (k->fd >= 0) {
		ask(k->fd, PROC_CN_MCAST_IGNORE);	/* older kernels count listeners */
		close(k->fd);
	}
	free(k->table);
	memset(k, 0, sizeof(*k));
	k->fd = -1;
}

/* --- the members of groups, by pid --------------------------------------------- */

/* The entry of a pid, or the free one where it would be. */
static struct kin_member *
slot(const struct kin *k, int pid)
{
	size_t at = (uint32_t)pid * 2654435761u & (k->cap - 1);

	while (k->table[at].pid && k->table[at].pid != pid)
		at = (at + 1) & (k->cap - 1);
	return &k->table[at];
}

static bool
grow(struct kin *k)
{
	struct kin old = *k;

	k->cap = old.cap ? 2 * old.cap : 1024;
	k->table = calloc(k->cap, sizeof(*k->table));
	if (!k->table) {
		*k = old;
		return false;
	}
	for (size_t i = 0; i < old.cap; i++)
		if (old.table[i].pid)
			*slot(k, old.table[i].pid) = old.table[i];
	free(old.table);
	return true;
}

/* Whose groups a pid has from now on: a pid that is used again loses those it had. */
static bool
enter(struct kin *k, int pid, uint64_t groups)
{
	struct kin_member *m;

	if (k->n >= k->cap / 2 && !grow(k))
		return false;
	m = slot(k, pid);
	if (!m->pid && !groups)
		return true;
	k->n += !m->pid;
	*m = (struct kin_member){ pid, groups };
	return true;
}

static bool
enter_known(struct kin *k, const struct sample *before, const int *roots, size_t nroots)
{
	bool ok = true;

	if (k->table)
		memset(k->table, 0, k->cap * sizeof(*k->table));
	k->n = 0;
	for (size_t i = 0; i < before->n; i++)
		ok &= enter(k, before->p[i].pid, before->p[i].groups);
	for (size_t g = 0; g < nroots && ok; g++)
		if (roots[g])
			ok = enter(k, roots[g], slot(k, roots[g])->groups | (uint64_t)1 << g);
	return ok;
}

/* Takes the forks that the kernel told of. */
static bool
take_forks(struct kin *k)
{
	_Alignas(8) char buf[512];
	struct proc_event e;
	bool ok = true;
	ssize_t n;

	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t len = sizeof(from);

		n = recvfrom(k->fd, buf, sizeof(buf), 0, (void *)&from, &len);
		if (n < 0 && errno == ENOBUFS) {
			ok = false;
			continue;
		}
		if (n < 0)
			return ok && errno == EAGAIN;
		/* of the kernel, and nobody else */
		if (from.nl_pid || (size_t)n < TGID_AT + sizeof(pid_t))
			continue;
		memset(&e, 0, sizeof(e));
		n -= EVENT_AT;
		memcpy(&e, buf + EVENT_AT, (size_t)n < sizeof(e) ? (size_t)n : sizeof(e));
		if (e.what == PROC_EVENT_FORK)
			ok &= enter(k, e.event_data.fork.child_tgid,
			    slot(k, e.event_data.fork.parent_tgid)->groups);
	}
}

bool
kin_spread(struct kin *k, const struct sample *before, struct sample *now, const int *roots,
    size_t nroots)
{
	bool ok;

	if (k->fd < 0)
		return true;
	ok = (k->table || grow(k)) && enter_known(k, before, roots, nroots) && take_forks(k);
	for (size_t i = 0; i < now->n && k->table; i++) {
		const struct sample_proc *old = sample_find(before, now->p[i].pid);

		if (!old || old->start != now->p[i].start)
			now->p[i].groups |= slot(k, now->p[i].pid)->groups;
	}
	return ok;
}
