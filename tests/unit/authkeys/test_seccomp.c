/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/sanitized.h"
#include "authkeys/seccomp.h"

/* Each returns what the system call did: -1 and errno if it failed. */
typedef long attempt(void);

static long
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long
do_execve(void)
{
	char *argv[] = { (char *)"/bin/true", NULL };

	return execve(argv[0], argv, argv + 1);
}

static long
do_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
do_unix(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

/* Only the low half of an argument is the kernel's int. */
static long
do_inet_high_bits(void)
{
	return syscall(SYS_socket, (1L << 32) | AF_INET, SOCK_STREAM, 0);
}

static long
do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
do_kill(void)
{
	return kill(getpid(), 0);
}

static long
do_raise_limit(void)
{
	struct rlimit limit = { 1, 1 };

	return setrlimit(RLIMIT_CORE, &limit);
}

static long
do_map(int protection)
{
	void *p =
	    mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long
do_map_code(void)
{
	return do_map(PROT_READ | PROT_EXEC);
}

static long
do_map_memory(void)
{
	return do_map(PROT_READ | PROT_WRITE);
}

static long
do_make_code(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* Those that the gate has no use for, by number: arguments that do nothing. */
static long
do_all_others(void)
{
	static const struct {
		long first, last;
	} others[] = {
#ifdef __x86_64__
		{ SYS_sched_yield, SYS_sched_yield },
		{ SYS_msync, SYS_mincore },
		{ SYS_shmget, SYS_dup2 },
		{ SYS_nanosleep, SYS_getitimer },
		{ SYS_accept, SYS_accept },
		{ SYS_recvfrom, SYS_getsockname },
		{ SYS_getrlimit, SYS_getuid },
		{ SYS_capget, SYS_capset },
		{ SYS_io_setup, SYS_io_cancel },
		{ SYS_mq_open, SYS_ioprio_get },
		{ SYS_splice, SYS_timerfd_gettime },
		{ SYS_seccomp, SYS_seccomp },
		{ SYS_execveat, SYS_execveat },
		{ SYS_io_uring_setup, SYS_openat2 },
#endif
		{ 500, 1000 },
		/* the other way to call an x86-64 kernel */
		{ 0x40000000L, 0x40000200L },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		for (long n = others[i].first; n <= others[i].last; n++) {
			if (syscall(n, -1, -1, -1, -1, -1, -1) >= 0 ||
			    errno != EPERM)
				return 0;
		}
	}
	errno = EPERM;
	return -1;
}

static long
do_open(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static long
do_chmod(void)
{
	return chmod("/nonexistent", 0777);
}

static const struct row {
	const char *name;
	attempt *attempt;
	bool allowed;
} rows[] = {
	{ "no process", do_fork, false },
	{ "no other program", do_execve, false },
	{ "no network", do_inet, false },
	{ "no network by an int with high bits", do_inet_high_bits, false },
	{ "no tracing", do_ptrace, false },
	{ "no signals", do_kill, false },
	{ "no limits", do_raise_limit, false },
	{ "no new code", do_map_code, false },
	{ "no memory made code", do_make_code, false },
	{ "no modes", do_chmod, false },
	{ "nothing else", do_all_others, false },
	{ "the log's socket", do_unix, true },
	{ "memory", do_map_memory, true },
	{ "files", do_open, true },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool
as_wanted(const struct row *row)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !seccomp_apply())
		return false;
	if (SANITIZED)
		return true; /* nothing is applied: seccomp.h */
	errno = 0;
	if (row->attempt() >= 0)
		return row->allowed;
	return !row->allowed && errno == EPERM;
}

/* In a child each: it cannot be taken back. */
static void
test_row(void **state)
{
	const struct row *row = *state;
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(as_wanted(row) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
