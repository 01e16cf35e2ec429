/*
 * process.h - what the BPF programs and the collector share
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "record.h"

enum {
	ARGS_CAP = 65536,	/* of a program's arguments */
	NAME_CAP = 4096,	/* PATH_MAX, of a path as a call passes it */
	DNS_CAP = 4096,		/* of a DNS message; more than EDNS asks for */
	LINE_CAP = 8192,	/* of a line read by bash */
	STRINGS_CAP = 32768,	/* room for all strings but the arguments */
};

/* Record kinds. */
enum {
	PROC_FORK = 1,	/* the rest of struct event_record: a child */
	PROC_EXEC,	/* strings: FILENAME, CWD, EXE, ARGS */
	PROC_EXIT,
	PROC_FILE,	/* an operation on one or two paths */
	PROC_FD,	/* a descriptor is used for the first time */
	PROC_FD_END,	/* it was closed: struct fd_record */
	PROC_NET,
	PROC_DNS,	/* a message to or from port 53 */
	PROC_SIGNAL,
	PROC_READLINE,
	PROC_MOVE,	/* a: a process that changed its cgroup; no line */
};

/* What a call does; how it does it is the BPF program's business. */
enum op {
	OP_NONE,
	OP_OPEN,	/* a flags, b 1: created by this call; result: descriptor */
	OP_UNLINK, OP_RMDIR,
	OP_RENAME,	/* first string: from, second: to; a flags */
	OP_LINK,	/* first: existing file, second: new name */
	OP_SYMLINK,	/* first: new name, second: its text */
	OP_MKDIR,	/* a permissions */
	OP_TRUNCATE,	/* a length */
	OP_CHMOD,	/* a permissions */
	OP_CHOWN,	/* a user, b group, -1: unchanged */
	OP_CHDIR,
	OP_MKNOD,	/* a mode, with its kind */
	OP_XATTR,	/* second string: the attribute; a 1: removed */
	OP_TIMES,
	OP_ALLOCATE,	/* fd the mode, a offset, b length */
	OP_CLONE,	/* first: the copy, second: what it is one of */
	OP_MOUNT,	/* first: where, NAME2: what, BASE2: file system; a flags */
	OP_UNMOUNT,
	OP_PIVOT,	/* first: the new root, second: where the old one goes */
	OP_WRITE,	/* a write that failed; a bytes */
	OP_EXEC,	/* that failed: PROC_EXEC */
	OP_AIO,
	OP_CONNECT, OP_ACCEPT, OP_BIND,
	OP_LISTEN,	/* a backlog */
	OP_DISSOLVE,	/* a UDP socket has no other end any more */
	OP_SEND,	/* to an address for the first time: serial of the descriptor,
			 * since the hash of the address */
};

/* Classes of system calls: which program looks at them. 0: none does. */
enum {
	CLASS_OPEN = 1, CLASS_PATH, CLASS_IO, CLASS_CLOSE, CLASS_NET, CLASS_KILL,
	CLASS_MORE, CLASS_EXEC, CLASS_AIO,
	/* not of a number, but of what on_io finds */
	CLASS_DNS, CLASS_SEND, CLASS_FAILED,
	CLASSES,
};

/* Strings of a record, one behind the other. A path is BASE, a complete path
 * of a directory, and NAME, what the call says; or BASE alone. */
enum {
	STR_BASE, STR_NAME, STR_BASE2, STR_NAME2,
	STR_ROOT,	/* the process's root, when it is not the mount namespace's */
	STR_MAX,
	STR_CWD = STR_BASE2, STR_EXE = STR_NAME2,	/* PROC_EXEC */
};

enum {
	EVENT_CUT = 1,		/* a path was too long, or could not be read */
	EVENT_ARGS_FAULT = 2,	/* arguments could not be read */
	EVENT_FAULT = 4,	/* a name could not be read */
	EVENT_DELETED = 8,	/* the file has no name any more */
	EVENT_FOLLOW = 16,	/* the call follows a symbolic link as last component */
};

struct net_addr {
	__u16 family, type;		/* AF_, SOCK_ */
	__u16 protocol;			/* IPPROTO_ */
	__u16 local_port, port;
	__u16 pad[3];
	__u8 local[16], peer[16];
};

struct event_record {
	struct record head;
	__u32 op;
	__s32 result;		/* of the call, or -errno */
	__u32 ppid, sid;
	__u32 fd;
	__u32 mnt_ns;
	__u32 flags;		/* EVENT_... */
	__u32 dir;		/* PROC_DNS: DIR_... */
	__u32 execs;		/* how many programs the process and its ancestors ran */
	__u32 pad;
	__u64 serial;		/* PROC_FD: of the descriptor's life; PROC_FORK: when the
				 * child was born, if it is in its parent's cgroup;
				 * OP_CONNECT, OP_DISSOLVE: transfers so far */
	__u64 since;		/* PROC_NET: when it began, 0 unknown */
	__s64 a, b;
	struct net_addr addr;
	__u32 len[STR_MAX];
	__u32 args;		/* PROC_EXEC: bytes of arguments behind the strings */
	__u64 args_all;		/* and how many there are */
#ifndef __bpf__
	char data[];
#endif
};

enum { DIR_READ, DIR_WRITE };
enum { FD_FILE, FD_SOCKET };

#define OPENED 0x80000000u

struct fd_key {
	__u32 pid, fd;
};

/* A descriptor in use, in the map fds; arrays by direction. */
struct fd_entry {
	__u64 serial;			/* never reused */
	__u64 file, inode, born;	/* whose it is: a closed one's number comes again */
	__u64 bytes[2], calls[2];	/* so far */
	__u64 first[2], last[2];	/* in this round, boot time */
	__u32 round[2];
	__u32 kind;
	__u32 opened;			/* OPENED, with the flags: it was opened for reading, and
					 * no record but this one's says so */
};

struct fd_record {
	struct record head;
	struct fd_entry e;
	__u32 fd, pad;
};

/* What a socket sent to one address, in the map sent. */
struct sent_key {
	__u64 serial;		/* of the descriptor */
	__u64 hash;		/* of the address */
};

struct sent_entry {
	__u64 bytes, calls, last;	/* last: boot time */
};

/* A connect that has not ended, in the map pending. */
struct pending {
	struct record head;
	__u32 fd, pad;
	struct net_addr addr;
};

/* Set by the collector: what of each call number there is to do. */
struct call {
	__u8 class, op;
};

/* Counters beyond the common ones. */
enum {
	COUNT_FDS_FULL = COUNT_TOOL,	/* table of descriptors full */
	COUNT_PENDING_FULL,		/* table of connects in progress full */
	COUNT_ARGS_LONG,		/* arguments beyond ARGS_CAP */
	COUNT_COMPAT,			/* a 32-bit program's call */
	COUNT_URING,			/* handed to io_uring: not seen */
	COUNT_BUSY,			/* too many programs were preempted at once */
	COUNT_AIO,			/* handed to Linux AIO: not seen */
	COUNT_SENT_FULL,		/* table of addresses that datagrams went to full */
};

#endif
