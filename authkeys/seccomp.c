/* SPDX-License-Identifier: ISC */
#include "authkeys/seccomp.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/sanitized.h"
#include "common/seccomp_bpf.h"

/* Where the list below was tried. */
#if defined(__x86_64__) || defined(__aarch64__)
#define ARCH BPF_NATIVE_ARCH
#else
#define ARCH 0
#endif

static const uint32_t allowed[] = {
	/* In the order of how often they are needed. */
	SYS_read,
	SYS_openat,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_write,
	SYS_fcntl,
	SYS_lseek,
	SYS_pread64,
	SYS_readlinkat,
	/* memory; mmap and mprotect below */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	/* the state */
	SYS_fsync,
	SYS_flock,
	SYS_mkdirat,
	SYS_linkat,
	SYS_unlinkat,
	SYS_renameat,
	SYS_getdents64,
	/* the log; socket below */
	SYS_connect,
	SYS_sendto,
	SYS_setsockopt,
	/* the rest */
	SYS_getpid,
	SYS_getppid,
	SYS_geteuid,
	SYS_getrandom,
	SYS_clock_gettime,
	SYS_gettimeofday,
	/* ending, also by a signal or abort(3) */
	SYS_exit_group,
	SYS_exit,
	SYS_rt_sigreturn,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_gettid,
	SYS_tgkill,
	SYS_setitimer,
#ifdef SYS_alarm
	SYS_alarm,
#endif
#ifdef SYS_time
	SYS_time,
#endif
};

#define ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

/* Allowed unless a bit of an argument, or its value, is the wrong one. */
static const struct argument {
	uint32_t number;
	uint32_t index;
	uint32_t mask;
	uint32_t want; /* of the argument's bits in mask */
} arguments[] = {
	{ SYS_mmap, 2, PROT_EXEC, 0 },
	{ SYS_mprotect, 2, PROT_EXEC, 0 },
	{ SYS_socket, 0, UINT32_MAX, AF_UNIX },
};

#define ARGUMENTS (sizeof(arguments) / sizeof(arguments[0]))

/*
 * A new filter is tried by Linux for each of its system calls, to remember
 * what it always allows, unless it meets a statement that needs a processor's
 * state.  This one does nothing else: no process as short as ours gets back
 * what trying costs.
 */
#define NOT_AHEAD BPF_DO(BPF_MISC | BPF_TAX, 0)
#define FAIL BPF_FAIL(EPERM)
#define KILL BPF_DO(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define PER_ARGUMENT 6
#define FILTER_MAX (6 + ARGUMENTS * PER_ARGUMENT + ALLOWED + 2)

static unsigned short
build(struct sock_filter *ret)
{
	struct sock_filter *f = ret;

	*f++ = NOT_AHEAD;
	*f++ = BPF_LOAD(BPF_ARCH_AT);
	*f++ = BPF_IF_EQUAL(ARCH, 1, 0);
	*f++ = KILL;
	*f++ = BPF_LOAD(BPF_NUMBER_AT);
	for (size_t i = 0; i < ARGUMENTS; i++) {
		const struct argument *a = &arguments[i];

		*f++ = BPF_IF_EQUAL(a->number, 0, PER_ARGUMENT - 1);
		*f++ = BPF_LOAD(BPF_ARGUMENT_AT(a->index));
		*f++ = BPF_DO(BPF_ALU | BPF_AND | BPF_K, a->mask);
		*f++ = BPF_IF_EQUAL(a->want, 0, 1);
		*f++ = BPF_ALLOW;
		*f++ = FAIL;
	}
	/* To the last statement; the distances are what is left. */
	for (size_t i = 0; i < ALLOWED; i++)
		*f++ = BPF_IF_EQUAL(allowed[i], (uint8_t)(ALLOWED - i), 0);
	*f++ = FAIL;
	*f++ = BPF_ALLOW;
	return (unsigned short)(f - ret);
}

bool
seccomp_apply(void)
{
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog program = { .filter = filter };

	if (SANITIZED || ARCH == 0)
		return true;
	program.len = build(filter);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
		return true;
	return errno == EINVAL || errno == ENOSYS;
}
