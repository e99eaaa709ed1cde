/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/cleanup.h"

#define ERR_MAX 4096
#define LAST_WORDS_MS 2000

int
child_fail(const char *what)
{
	(void)dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	return EX_OSERR;
}

static void
become_child(int err)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(EX_OSERR);
	/*
	 * The keys of whoever started sandboxd are not the sandbox's.  Where
	 * keyrings are forbidden, or unknown, there is nothing to leave.
	 */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS && errno != EPERM)
		_exit(child_fail("cannot leave the session keyring"));
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

static pid_t
fork_detached(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (setsid() < 0)
		_exit(EX_OSERR);
	pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? EX_OSERR : 0);
	return 0;
}

/* Its first message is its pid: of a detached child fork does not tell. */
static bool
read_pid(struct child *child)
{
	ssize_t n;

	do
		n = recv(
		    child->sync, &child->pid, sizeof(child->pid), MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(child->pid))
		return true;
	child->pid = -1;
	return false;
}

enum sbx_err
child_start(child_body *body, void *arg, enum child_kind kind,
    struct child *ret, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	cleanup_close int theirs = -1, err = -1;
	int pair[2], ends[2];
	pid_t pid, forked;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a socket: %s", strerror(errno));
	child.sync = pair[0];
	theirs = pair[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	child.err = ends[0];
	err = ends[1];

	forked = kind == CHILD_DETACHED ? fork_detached() : fork();
	if (forked < 0)
		return sbx_fail(
		    why, SBX_UNAVAILABLE, "cannot fork: %s", strerror(errno));
	if (forked == 0) {
		become_child(err);
		(void)close(child.sync);
		pid = getpid();
		if (write(theirs, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
			_exit(EX_OSERR);
		_exit(body(arg, theirs));
	}
	(void)close(steal_fd(&theirs));
	(void)close(steal_fd(&err));
	child.detached = kind == CHILD_DETACHED;
	if (child.detached) {
		while (waitpid(forked, NULL, 0) < 0 && errno == EINTR)
			continue;
	} else {
		child.pid = forked;
	}
	if (!read_pid(&child))
		return sbx_fail(
		    why, SBX_UNAVAILABLE, "a new process did not start");
	*ret = child;
	child = CHILD_INIT;
	return SBX_OK;
}

void
child_end(struct child *child)
{
	if (child->sync >= 0)
		(void)close(child->sync);
	if (child->err >= 0)
		(void)close(child->err);
	if (child->pid > 0 && !child->detached) {
		(void)kill(child->pid, SIGKILL);
		(void)child_wait(child);
	}
	*child = CHILD_INIT;
}

bool
child_tell(const struct child *child, uint8_t byte)
{
	return send(child->sync, &byte, 1, MSG_NOSIGNAL) == 1;
}

static bool
readable(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool
child_hear(const struct child *child, int timeout_ms)
{
	char byte;

	return readable(child->sync, timeout_ms) &&
	    read(child->sync, &byte, 1) == 1;
}

int
child_wait(struct child *child)
{
	int status = 0;
	pid_t pid = child->pid;

	child->pid = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
child_last_line(const struct child *child, char *ret, size_t size)
{
	char text[ERR_MAX];
	size_t len = 0;
	ssize_t n;
	char *line;

	/* Beyond the cap the newest half is kept. */
	while (readable(child->err, LAST_WORDS_MS) &&
	    (n = read(child->err, text + len, sizeof(text) - 1 - len)) > 0) {
		len += (size_t)n;
		if (len == sizeof(text) - 1) {
			len /= 2;
			memmove(text, text + sizeof(text) - 1 - len, len);
		}
	}
	while (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	line = strrchr(text, '\n');
	(void)snprintf(ret, size, "%.300s", line == NULL ? text : line + 1);
}

static int
exec_body(void *arg, int sync)
{
	char *const *argv = arg;
	static const char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		NULL,
	};

	(void)sync;
	(void)execvpe(argv[0], argv, (char *const *)environment);
	(void)child_fail(argv[0]);
	return CHILD_EXEC_FAILED;
}

enum sbx_err
child_run(char *const argv[], struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	enum sbx_err err =
	    child_start(exec_body, (void *)argv, CHILD_ATTACHED, &child, why);
	char line[320];
	int status;

	if (err != SBX_OK)
		return err;
	child_last_line(&child, line, sizeof(line));
	status = child_wait(&child);
	if (status == 0)
		return SBX_OK;
	return sbx_fail(why,
	    status == CHILD_EXEC_FAILED ? SBX_UNAVAILABLE : SBX_REFUSED, "%s",
	    *line == '\0' ? argv[0] : line);
}
