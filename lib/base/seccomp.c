#include "base/seccomp.h"

#include "base/sandbox.h"

#ifdef __linux__
#include <linux/audit.h>
#include <sys/syscall.h>
#endif

/* Numbers of system calls mean nothing without the processor they are for. Where arguments are
 * looked at, it is at their lower half, which the kernel takes, and which comes first here. */
#if defined __linux__ && defined __x86_64__ && !defined __ILP32__
#define PROCESSOR AUDIT_ARCH_X86_64
#elif defined __linux__ && defined __aarch64__ && !defined __ILP32__ && defined __AARCH64EL__
#define PROCESSOR AUDIT_ARCH_AARCH64
#endif

#ifndef __X32_SYSCALL_BIT /* the kernel's; not every C library passes it on */
#define __X32_SYSCALL_BIT 0x40000000
#endif

#ifndef PROCESSOR

bool seccomp_enter(void)
{
	return false;
}

#else

#include "base/util.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than the headers of some systems that this is built on. The numbers are those of every
 * processor. */
enum {
	CALL_PIDFD_SEND_SIGNAL = 424,
	CALL_IO_URING_SETUP = 425,
	CALL_IO_URING_ENTER = 426,
	CALL_IO_URING_REGISTER = 427,
	CALL_OPEN_TREE = 428,
	CALL_MOVE_MOUNT = 429,
	CALL_FSOPEN = 430,
	CALL_FSCONFIG = 431,
	CALL_FSMOUNT = 432,
	CALL_FSPICK = 433,
	CALL_PIDFD_OPEN = 434,
	CALL_CLONE3 = 435,
	CALL_PIDFD_GETFD = 438,
	CALL_PROCESS_MADVISE = 440,
	CALL_MOUNT_SETATTR = 442,
	CALL_QUOTACTL_FD = 443,
	CALL_FCHMODAT2 = 452,
	CALL_SETXATTRAT = 463,
	CALL_REMOVEXATTRAT = 466,
	CALL_OPEN_TREE_ATTR = 467,
	CALL_FILE_SETATTR = 469
};

/* Never, whatever the arguments. Those that older processors have and newer ones do not are in
 * brackets of their own. */
static const unsigned denied[] = {
    /* other programs */
    SYS_execve,
    SYS_execveat,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
/* other processes */
#ifndef SANDBOX_SANITIZED
    SYS_ptrace, /* LeakSanitizer stops its own threads by it */
#endif
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    CALL_PROCESS_MADVISE,
    SYS_kcmp,
    SYS_migrate_pages,
    SYS_move_pages,
    CALL_PIDFD_OPEN,
    CALL_PIDFD_GETFD,
    CALL_PIDFD_SEND_SIGNAL,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    /* other users */
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
    /* other worlds */
    SYS_unshare,
    SYS_setns,
    SYS_chroot,
    SYS_pivot_root,
    SYS_mount,
    SYS_umount2,
    CALL_OPEN_TREE,
    CALL_OPEN_TREE_ATTR,
    CALL_MOVE_MOUNT,
    CALL_MOUNT_SETATTR,
    CALL_FSOPEN,
    CALL_FSCONFIG,
    CALL_FSMOUNT,
    CALL_FSPICK,
    /* files otherwise than by opening, renaming and removing them, which Landlock sees to */
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_fchmodat,
    CALL_FCHMODAT2,
    CALL_FILE_SETATTR,
    SYS_fchownat,
    SYS_utimensat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    CALL_SETXATTRAT,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    CALL_REMOVEXATTRAT,
#ifdef SYS_chmod
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_link,
    SYS_symlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_mknod,
#endif
    /* servers */
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    /* the machine */
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    CALL_QUOTACTL_FD,
    SYS_syslog,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_vhangup,
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
    /* large parts of the kernel that are of no use here */
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_personality,
    CALL_IO_URING_SETUP,
    CALL_IO_URING_ENTER,
    CALL_IO_URING_REGISTER,
};

/* Instructions. A jump passes over so many when the value at hand is, or is not, the one named. */
enum { MOST = 2 * ARRAY_LEN(denied) + 64 };

struct program {
	struct sock_filter at[MOST];
	unsigned short n;
};

static void put(struct program *p, unsigned code, unsigned char yes, unsigned char no, unsigned k)
{
	p->at[p->n++] = (struct sock_filter){(unsigned short)code, yes, no, k};
}

static void load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset);
}

static void load_argument(struct program *p, unsigned i)
{
	load(p, offsetof(struct seccomp_data, args) + i * sizeof(__u64));
}

static void answer(struct program *p, unsigned what)
{
	put(p, BPF_RET | BPF_K, 0, 0, what);
}

static void deny(struct program *p)
{
	answer(p, SECCOMP_RET_ERRNO | EPERM);
}

/* The next `n` instructions are for this call only; they end with an answer. */
static void on_call(struct program *p, unsigned call, unsigned char n)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, n, call);
}

/* TCP and UDP over IPv4 and IPv6: not raw, no packets, no netlink, nor the system's own services
 * behind AF_UNIX. A pair of sockets is another call. */
static void judge_socket(struct program *p)
{
	on_call(p, SYS_socket, 14);
	load_argument(p, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 10, AF_INET6);
	load_argument(p, 1);
	put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xF); /* beside it stand flags */
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SOCK_STREAM);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 6, SOCK_DGRAM);
	load_argument(p, 2);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, IPPROTO_TCP);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, IPPROTO_UDP);
	deny(p);
	answer(p, SECCOMP_RET_ALLOW);
	deny(p);
}

/* Threads are started, processes and namespaces are not. What clone3 is given lies in memory, out
 * of a filter's sight: libc does without it. */
static void judge_clone(struct program *p)
{
	const unsigned worlds = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

	on_call(p, CALL_CLONE3, 1);
	answer(p, SECCOMP_RET_ERRNO | ENOSYS);
	on_call(p, SYS_clone, 5);
	load_argument(p, 0);
	put(p, BPF_JMP | BPF_JSET | BPF_K, 2, 0, worlds);
#ifdef SANDBOX_SANITIZED
	/* LeakSanitizer looks on from a process of its own. */
	put(p, BPF_JMP | BPF_JSET | BPF_K, 0, 0, CLONE_THREAD);
#else
	put(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_THREAD);
#endif
	answer(p, SECCOMP_RET_ALLOW);
	deny(p);
}

/* Signals go to this process only. It has no children, so its number stays its own. */
static void judge_kill(struct program *p)
{
	static const unsigned calls[] = {SYS_kill, SYS_tkill, SYS_tgkill};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		on_call(p, calls[i], 4);
		load_argument(p, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)getpid());
		answer(p, SECCOMP_RET_ALLOW);
		deny(p);
	}
}

/* Nothing is typed into the terminal on behalf of the shell that waits behind us. */
static void judge_ioctl(struct program *p)
{
	on_call(p, SYS_ioctl, 5);
	load_argument(p, 1);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, TIOCSTI);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, TIOCLINUX);
	answer(p, SECCOMP_RET_ALLOW);
	deny(p);
}

static void write_program(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	/* Calls of 32-bit programs have numbers of their own; we make none. */
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, PROCESSOR);
	deny(p);
	load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	/* The same calls once more, by other numbers: x32. */
	put(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, __X32_SYSCALL_BIT);
	deny(p);
#endif
	for (size_t i = 0; i < ARRAY_LEN(denied); i++) {
		on_call(p, denied[i], 1);
		deny(p);
	}
	judge_socket(p);
	judge_clone(p);
	judge_kill(p);
	judge_ioctl(p);
	answer(p, SECCOMP_RET_ALLOW);
}

bool seccomp_enter(void)
{
	struct program p = {.n = 0};
	struct sock_fprog filter = {.filter = p.at};

	write_program(&p);
	filter.len = p.n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

#endif
