/*
 * stacks - what the kernel says of the stacks of BPF programs, as they are loaded
 *
 * Preloaded into a collector (LD_PRELOAD), it appends one line to $STACKS for each
 * program that is loaded with success:
 *
 *	NAME TYPE PRIVATE SUM DEPTHS
 *
 * PRIVATE: how many of its functions have their frame in memory of the CPU. SUM: the
 * most bytes that frames take at once, rounded as the kernels before 6.9 do it.
 * DEPTHS: of each function, as the verifier says it. A "?" takes the place of what
 * could not be found out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FUNCS = 64, INSNS = 1 << 16, CODE = 1 << 20, LOG_STATS = 4 };

static struct {
	struct bpf_insn insns[INSNS];
	unsigned char code[CODE];
	struct bpf_func_info funcs[FUNCS];
	char room[1 << 16];
	const char *log;
	struct bpf_prog_info info;
	int depth[FUNCS], ndepth;
} s;

static long
kernel_call(long nr, ...)
{
	static long (*real)(long, ...);
	va_list ap;
	long a[6];

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Fills s.info and what it points to. */
static bool
get_info(int fd)
{
	union bpf_attr a;

	memset(&s.info, 0, sizeof(s.info));
	s.info.xlated_prog_insns = (uintptr_t)s.insns;
	s.info.xlated_prog_len = sizeof(s.insns);
	s.info.jited_prog_insns = (uintptr_t)s.code;
	s.info.jited_prog_len = sizeof(s.code);
	s.info.func_info = (uintptr_t)s.funcs;
	s.info.func_info_rec_size = sizeof(s.funcs[0]);
	s.info.nr_func_info = FUNCS;
	memset(&a, 0, sizeof(a));
	a.info.bpf_fd = fd;
	a.info.info = (uintptr_t)&s.info;
	a.info.info_len = sizeof(s.info);
	return kernel_call(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &a, sizeof(a), 0, 0, 0) == 0 &&
	    s.info.xlated_prog_len <= sizeof(s.insns) && s.info.jited_prog_len <= sizeof(s.code);
}

/* A function whose frame is private begins, on x86-64, with the address of the CPU's
 * memory in r9: add r9, gs:this_cpu_off (arch/x86/net/bpf_jit_comp.c). -1: not known. */
static int
private_frames(void)
{
	static const unsigned char add[] = { 0x65, 0x4c, 0x03, 0x0c, 0x25 };
	int n = 0;

	if (!s.info.jited_prog_len)
		return -1;
	for (unsigned i = 0; i + sizeof(add) <= s.info.jited_prog_len; i++)
		n += memcmp(s.code + i, add, sizeof(add)) == 0;
	return n;
}

static void
read_depths(void)
{
	const char *p = strstr(s.log, "stack depth ");

	s.ndepth = 0;
	if (!p)
		return;
	p += strlen("stack depth ");
	if (*p == 'm') {	/* Linux 7.3: a line for each */
		while ((p = strstr(p, "\nsubprog ")) && s.ndepth < FUNCS) {
			const char *depth = strstr(++p, " stack ");

			s.depth[s.ndepth++] = depth ? atoi(depth + strlen(" stack ")) : 0;
		}
		return;
	}
	do {
		char *end;

		s.depth[s.ndepth++] = strtol(p, &end, 10);
		p = end;
	} while (*p++ == '+' && s.ndepth < FUNCS);
}

/* The function that begins at an instruction; -1: none. */
static int
func_at(unsigned insn)
{
	for (unsigned i = 0; i < s.info.nr_func_info; i++)
		if (s.funcs[i].insn_off == insn)
			return i;
	return -1;
}

/* Frames from function i down: its own, and the most of those that it calls or hands
 * to a helper that does. -1: not known. */
static int
frames_from(int i, int level)
{
	unsigned n = s.info.xlated_prog_len / sizeof(s.insns[0]), most = 0;
	unsigned end = i + 1 < s.ndepth ? s.funcs[i + 1].insn_off : n;
	int own = s.depth[i] > 0 ? s.depth[i] : 1;

	if (level > 8)
		return -1;
	for (unsigned at = s.funcs[i].insn_off; at < end; at++) {
		const struct bpf_insn *in = &s.insns[at];
		int to = -2, below;

		if (in->code == (BPF_JMP | BPF_CALL) && in->src_reg == BPF_PSEUDO_CALL)
			to = func_at(at + 1 + in->off);
		else if (in->code == (BPF_LD | BPF_IMM | BPF_DW) && in->src_reg == BPF_PSEUDO_FUNC)
			to = func_at(at + 1 + in->imm);
		if (to == -2)
			continue;
		below = to < 0 ? -1 : frames_from(to, level + 1);
		if (below < 0)
			return -1;
		if ((unsigned)below > most)
			most = below;
	}
	return (own + 31) / 32 * 32 + most;
}

static void
put(int out, int n)
{
	dprintf(out, n < 0 ? " ?" : " %d", n);
}

static void
tell(int fd)
{
	const char *path = getenv("STACKS");
	int out = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	bool known;

	if (out < 0)
		return;
	known = get_info(fd);
	read_depths();
	/* a program of one function has no list of them */
	if (known && s.info.nr_func_info == 0) {
		s.info.nr_func_info = 1;
		s.funcs[0].insn_off = 0;
	}
	dprintf(out, "%s %u", s.info.name, s.info.type);
	put(out, known ? private_frames() : -1);
	put(out, known && s.ndepth && s.info.nr_func_info == (unsigned)s.ndepth ? frames_from(0, 0) : -1);
	for (int i = 0; i < s.ndepth; i++)
		dprintf(out, "%c%d", i ? '+' : ' ', s.depth[i]);
	dprintf(out, "\n");
	close(out);
}

/* bpf(BPF_PROG_LOAD): the same, with the verifier's statistics if none were asked for. */
static long
load(const union bpf_attr *attr, unsigned size)
{
	union { union bpf_attr a; char room[512]; } copy;
	long fd;

	if (size > sizeof(copy))
		return kernel_call(SYS_bpf, BPF_PROG_LOAD, attr, size, 0, 0, 0);
	memcpy(&copy, attr, size);
	if (!attr->log_level) {
		copy.a.log_buf = (uintptr_t)s.room;
		copy.a.log_size = sizeof(s.room);
		s.room[0] = '\0';
	}
	copy.a.log_level |= LOG_STATS;
	s.log = (const char *)(uintptr_t)copy.a.log_buf;
	fd = kernel_call(SYS_bpf, BPF_PROG_LOAD, &copy, size, 0, 0, 0);
	if (fd >= 0)
		tell(fd);
	return fd;
}

/* In place of libc's, by which libbpf makes its calls. */
long
syscall(long nr, ...)
{
	va_list ap;
	long a[6];

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_bpf && a[0] == BPF_PROG_LOAD)
		return load((const union bpf_attr *)a[1], a[2]);
	return kernel_call(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Loads a program of the kind that gets a private stack where there are any, and
 * tells of it like of the others. 0, or -1 with errno. */
int
stacks_control(void)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -128 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr a = {
		.prog_type = BPF_PROG_TYPE_KPROBE, .insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]), .license = (uintptr_t)"GPL",
		.prog_name = "control",
	};
	long fd = load(&a, sizeof(a));

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}
