/* SPDX-License-Identifier: ISC */
#include "proxycmd/doctor/capture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

static _Noreturn void
child(const char *const argv[], int out, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(CAPTURE_NO_PROGRAM);
	(void)execvp(argv[0], (char *const *)argv);
	_exit(CAPTURE_NO_PROGRAM);
}

/* Until nobody holds the other end; false at the deadline. */
static bool
drain(int fd, struct deadline deadline, struct buf *ret)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint8_t chunk[4096];
		int ready = poll(&pfd, 1, deadline_left(deadline));
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		if ((size_t)n > ret->cap - ret->len)
			n = (ssize_t)(ret->cap - ret->len);
		buf_put(ret, chunk, (size_t)n);
	}
}

enum sbx_err
capture_run(const char *const argv[], struct deadline deadline, struct buf *ret,
    int *ret_status, struct sbx_why *why)
{
	cleanup_close int out = -1;
	pid_t self = getpid(), pid;
	int ends[2], status = 0;
	bool whole;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	out = ends[0];
	pid = fork();
	if (pid == 0)
		child(argv, ends[1], self);
	(void)close(ends[1]);
	if (pid < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	whole = drain(out, deadline, ret);
	if (!whole)
		(void)kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!whole)
		return sbx_fail(
		    why, SBX_TIMEOUT, "%s does not come to an end", argv[0]);
	*ret_status =
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return buf_error(ret);
}
