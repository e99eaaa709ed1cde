/* SPDX-License-Identifier: ISC */
#include "proxycmd/shell_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "proxycmd/dial/deadline.h"

#define MARK_LINE SHELL_MARK "\n"

/* The ends of what ssh would make: ours, and the shell's. */
struct ends {
	int ours, hold; /* what it writes; its input, on which nothing comes */
	int in, out;
};

static bool
make_ends(bool pipes, struct ends *ret)
{
	int in[2], out[2];

	*ret = (struct ends){ -1, -1, -1, -1 };
	if (!pipes &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) == 0)
		*ret = (struct ends){ out[0], -1, out[1], out[1] };
	if (!pipes || pipe2(in, O_CLOEXEC) < 0)
		return ret->ours >= 0;
	ret->in = in[0];
	ret->hold = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return false;
	ret->ours = out[0];
	ret->out = out[1];
	return true;
}

static void
close_ends(struct ends *e)
{
	const int fds[] = { e->ours, e->hold, e->in,
		e->out == e->in ? -1 : e->out };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

static void
put_variable(const char *name, const char *value)
{
	if ((value != NULL ? setenv(name, value, 1) : unsetenv(name)) < 0)
		_exit(EXIT_FAILURE);
}

static _Noreturn void
child(const struct shell_run *run, const struct ends *e, pid_t parent)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	put_variable("SHLVL", run->level);
	put_variable("BASH_ENV", run->bash_env);
	/* As ssh lets it inherit that. */
	(void)signal(SIGPIPE, run->pipes ? SIG_DFL : SIG_IGN);
	if (setsid() >= 0 && dup2(e->in, STDIN_FILENO) >= 0 &&
	    dup2(e->out, STDOUT_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
		(void)execv(run->argv[0], (char *const *)run->argv);
	/* One that cannot be run is nothing that we could explain. */
	_exit(write(STDOUT_FILENO, MARK_LINE, strlen(MARK_LINE)) < 0
		? EXIT_FAILURE
		: EXIT_SUCCESS);
}

/* Until the mark, the end, or the deadline. */
static enum shell_verdict
listen_to(int fd, struct buf *said)
{
	struct deadline deadline = deadline_in(SHELL_PATIENCE);

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint8_t chunk[8192];
		const uint8_t *mark;
		ssize_t n;
		int ready = poll(&pfd, 1, deadline_left(deadline));

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return SHELL_STUCK;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return SHELL_ENDS;
		buf_put(said, chunk, (size_t)n);
		/* So much that nobody would wait for its end. */
		if (buf_error(said) != SBX_OK)
			return SHELL_STUCK;
		mark = memmem(said->p, said->len, MARK_LINE, strlen(MARK_LINE));
		if (mark == NULL)
			continue;
		said->len = (size_t)(mark - said->p);
		return said->len > 0 ? SHELL_LOUD : SHELL_QUIET;
	}
}

enum shell_verdict
shell_run(const struct shell_run *run, struct buf *said, unsigned *ret_ms)
{
	__attribute__((cleanup(close_ends))) struct ends e;
	uint64_t start = deadline_now();
	enum shell_verdict verdict;
	pid_t self = getpid(), pid;

	*ret_ms = 0;
	if (!make_ends(run->pipes, &e))
		return SHELL_QUIET;
	pid = fork();
	if (pid == 0)
		child(run, &e, self);
	if (pid < 0)
		return SHELL_QUIET;
	(void)close(e.out);
	if (e.in != e.out)
		(void)close(e.in);
	e.in = e.out = -1;
	verdict = listen_to(e.ours, said);
	*ret_ms = (unsigned)(deadline_now() - start);
	/* With what it has started and waits for. */
	if (verdict == SHELL_STUCK || verdict == SHELL_ENDS)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return verdict;
}
