/* SPDX-License-Identifier: ISC */
#include "net/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In the child, between fork and exec. */
static _Noreturn void
become(const struct spawn *spawn, int out)
{
	int other =
	    spawn->keep == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO;
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	/* ssh ignores SIGPIPE in some of the places that start us. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    (!spawn->silence || dup2(null, other) >= 0) &&
	    dup2(out, spawn->keep) >= 0 && close_range(3, ~0U, 0) == 0)
		(void)execvpe(spawn->argv[0], (char *const *)spawn->argv,
		    spawn->environment == NULL
			? environ
			: (char *const *)spawn->environment);
	(void)dprintf(spawn->keep, "%s: %s\n", spawn->argv[0], strerror(errno));
	_exit(SPAWN_FAILED);
}

/* Take what is there; false at its end. */
static bool
drain(int fd, struct buf *ret)
{
	uint8_t chunk[1024];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if ((size_t)n <= ret->cap - ret->len)
		buf_put(ret, chunk, (size_t)n);
	else
		buf_put(ret, chunk, ret->cap - ret->len);
	sodium_memzero(chunk, sizeof(chunk));
	return n > 0;
}

/*
 * Until the program has ended: a process that it left behind may hold the
 * pipe for ever.  Then what is still in the pipe.
 */
static bool
watch(int process, int out, int64_t deadline, struct buf *ret)
{
	struct pollfd fds[] = { { process, POLLIN, 0 }, { out, POLLIN, 0 } };

	for (;;) {
		int64_t left = deadline - now_ms();

		if (left <= 0)
			return false;
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents != 0 && !drain(out, ret))
			fds[1].fd = -1;
		if (fds[0].revents == 0)
			continue;
		while (fds[1].fd >= 0 && poll(&fds[1], 1, 0) > 0 &&
		    now_ms() < deadline && drain(out, ret))
			continue;
		return true;
	}
}

enum sbx_err
spawn_run(const struct spawn *spawn, int *ret_status, struct buf *ret,
    struct sbx_why *why)
{
	cleanup_close int in = -1, out = -1, process = -1;
	int ends[2];
	bool ended;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return SBX_IO;
	in = ends[0];
	out = ends[1];
	/* The reading end alone is ours to not block on. */
	if (fcntl(out, F_SETFL, 0) < 0)
		return SBX_IO;
	/* Who starts us may ignore it, and then nobody's end is told. */
	(void)signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid < 0)
		return sbx_fail(why, SBX_UNAVAILABLE, "cannot start %s: %s",
		    spawn->argv[0], strerror(errno));
	if (pid == 0)
		become(spawn, out);
	(void)close(steal_fd(&out));
	process = (int)syscall(SYS_pidfd_open, pid, 0);
	ended = process >= 0 &&
	    watch(process, in, now_ms() + (int64_t)spawn->timeout * 1000, ret);
	if (!ended)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0) {
		if (errno != EINTR)
			return SBX_IO;
	}
	if (!ended)
		return sbx_fail(why, SBX_TIMEOUT,
		    "%s did not end within %u seconds", spawn->argv[0],
		    spawn->timeout);
	return buf_error(ret);
}
