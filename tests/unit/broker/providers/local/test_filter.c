/* SPDX-License-Identifier: ISC */
/*
 * Each row is a system call made under the filter.  With the argument
 * "inside" the filter is not applied: in a sandbox it is there already.
 */
#include "tests/unit/cases.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "broker/providers/local/filter.h"
#include "common/seccomp_bpf.h"

#define HIGH (1L << 32)

struct row {
	const char *name;
	long number;
	long args[3];
	int want; /* errno; 0: it succeeds */
};

static const struct row rows[] = {
	{ "unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0 },
	{ "inet", SYS_socket, { AF_INET, SOCK_STREAM, 0 }, 0 },
	{ "inet, udp", SYS_socket,
	    { AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 }, 0 },
	{ "inet6", SYS_socket, { AF_INET6, SOCK_STREAM, 0 }, 0 },
	{ "netlink, route", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
	    0 },
	{ "netlink, audit", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT },
	    EPROTONOSUPPORT },
	{ "netlink, netfilter", SYS_socket,
	    { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, EPROTONOSUPPORT },
	{ "vsock", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EAFNOSUPPORT },
	{ "vsock, odd upper half", SYS_socket,
	    { HIGH | AF_VSOCK, SOCK_STREAM, 0 }, EAFNOSUPPORT },
	{ "unix, odd upper half", SYS_socket,
	    { HIGH | AF_UNIX, SOCK_STREAM, 0 }, 0 },
	{ "packet", SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, EAFNOSUPPORT },
	{ "packet, the old way", SYS_socket, { AF_INET, SOCK_PACKET, 0 },
	    EAFNOSUPPORT },
	{ "packet, with flags", SYS_socket,
	    { AF_INET, SOCK_PACKET | SOCK_CLOEXEC, 0 }, EAFNOSUPPORT },
	{ "alg", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
	{ "xdp", SYS_socket, { AF_XDP, SOCK_RAW, 0 }, EAFNOSUPPORT },
	{ "bluetooth", SYS_socket, { AF_BLUETOOTH, SOCK_RAW, 0 },
	    EAFNOSUPPORT },
	{ "can", SYS_socket, { AF_CAN, SOCK_RAW, 1 }, EAFNOSUPPORT },
	{ "rds", SYS_socket, { AF_RDS, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
	{ "tipc", SYS_socket, { AF_TIPC, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
	{ "smc", SYS_socket, { AF_SMC, SOCK_STREAM, 0 }, EAFNOSUPPORT },
	{ "smc, by inet", SYS_socket, { AF_INET, SOCK_STREAM, 256 },
	    EPROTONOSUPPORT },
	{ "a family of tomorrow", SYS_socket, { 99, SOCK_STREAM, 0 },
	    EAFNOSUPPORT },
	{ "a pair of vsocks", SYS_socketpair, { AF_VSOCK, SOCK_STREAM, 0 },
	    EAFNOSUPPORT },
	{ "a pair of unix sockets", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0 },
	    EFAULT },
	{ "keyctl", SYS_keyctl, { 0, -3, 0 }, ENOSYS },
	{ "add_key", SYS_add_key, { 0, 0, 0 }, ENOSYS },
	{ "request_key", SYS_request_key, { 0, 0, 0 }, ENOSYS },
	{ "io_uring_setup", SYS_io_uring_setup, { 1, 0, 0 }, ENOSYS },
	{ "io_setup", SYS_io_setup, { 1, 0, 0 }, ENOSYS },
	{ "bpf", SYS_bpf, { 0, 0, 0 }, ENOSYS },
	{ "perf_event_open", SYS_perf_event_open, { 0, 0, 0 }, ENOSYS },
	{ "userfaultfd", SYS_userfaultfd, { 0, 0, 0 }, ENOSYS },
	{ "syslog", SYS_syslog, { 10, 0, 0 }, ENOSYS },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -1, 0, 0 }, ENOSYS },
	{ "TIOCSTI", SYS_ioctl, { -1, TIOCSTI, 0 }, EPERM },
	{ "TIOCSTI, odd upper half", SYS_ioctl, { -1, HIGH | TIOCSTI, 0 },
	    EPERM },
	{ "TIOCLINUX", SYS_ioctl, { -1, TIOCLINUX, 0 }, EPERM },
	{ "another ioctl", SYS_ioctl, { -1, TIOCGWINSZ, 0 }, EBADF },
	{ "getpid", SYS_getpid, { 0, 0, 0 }, 0 },
#ifdef __x86_64__
	{ "getpid of x32", 0x40000000 | SYS_getpid, { 0, 0, 0 }, ENOSYS },
#endif
};

static bool inside;

static bool
apply(void)
{
	cleanup_buf struct buf filter = BUF_INIT(FILTER_BYTES_MAX);
	struct sock_fprog program;

	if (inside)
		return true;
	filter_put(&filter);
	if (buf_error(&filter) != SBX_OK)
		return false;
	program.len = (unsigned short)(filter.len / sizeof(struct sock_filter));
	program.filter = (struct sock_filter *)(void *)filter.p;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

/* errno of a call under the filter. */
static int
errno_of(int (*call)(const struct row *row), const struct row *row)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(apply() ? call(row) : 255);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
call_row(const struct row *row)
{
	errno = 0;
	return syscall(row->number, row->args[0], row->args[1], row->args[2],
		   /* socketpair's */ 0) >= 0
	    ? 0
	    : errno;
}

static void
test_row(void **state)
{
	const struct row *row = *state;

	assert_int_equal(errno_of(call_row, row), row->want);
}

#ifdef __x86_64__
static int
call_int80(const struct row *row)
{
	long result;

	(void)row;
	/* getpid(2) of 32-bit programs */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result >= 0 ? 0 : (int)-result;
}

static void
test_int80(void **state)
{
	(void)state;
	assert_int_equal(errno_of(call_int80, NULL), ENOSYS);
}
#endif

int
main(int argc, char **argv)
{
	inside = argc == 2 && strcmp(argv[1], "inside") == 0;
	CASE_ROWS(rows, test_row);
#ifdef __x86_64__
	CASE(test_int80);
#endif
	return cases_run("filter");
}
