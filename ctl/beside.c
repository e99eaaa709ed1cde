/* SPDX-License-Identifier: ISC */
#include "ctl/beside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void
become(const struct beside *program)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], program->deaf ? SIG_IGN : SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if ((program->in < 0 || dup2(program->in, STDIN_FILENO) >= 0) &&
	    (program->out < 0 || dup2(program->out, STDOUT_FILENO) >= 0) &&
	    (program->err < 0 || dup2(program->err, STDERR_FILENO) >= 0) &&
	    close_range(3, ~0U, 0) == 0)
		(void)execvp(program->argv[0], (char *const *)program->argv);
	(void)dprintf(STDERR_FILENO, "sandboxctl: cannot run %s: %s\n",
	    program->argv[0], strerror(errno));
	_exit(EX_UNAVAILABLE);
}

enum sbx_err
beside_start(const struct beside *program, pid_t *ret, struct sbx_why *why)
{
	pid_t pid;

	/* Who starts us may ignore it, and then nobody's end is told. */
	(void)signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (pid < 0)
		return sbx_fail(why, SBX_UNAVAILABLE, "cannot start %s: %s",
		    program->argv[0], strerror(errno));
	if (pid == 0)
		become(program);
	*ret = pid;
	return SBX_OK;
}

int
beside_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return EX_UNAVAILABLE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
