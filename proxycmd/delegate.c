/* SPDX-License-Identifier: ISC */
#include "proxycmd/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT_EXECUTE 126 /* as shells say it */

static void
put_option(struct delegate_args *args, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	args->v[args->count++] = name;
	args->v[args->count++] = value;
}

struct delegate_args
delegate_build(
    const struct delegate *d, bool quiet, const char *verb, const char *name)
{
	struct delegate_args args = { .v = { d->program }, .count = 1 };

	put_option(&args, "--cache", d->cache);
	put_option(&args, "--config", d->config);
	put_option(&args, "--suffix", d->suffix);
	if (quiet)
		args.v[args.count++] = "--quiet";
	args.v[args.count++] = verb;
	if (name != NULL)
		args.v[args.count++] = name;
	return args;
}

/* Returns only on failure. */
static void
execute(const struct delegate_args *args)
{
	/* ssh lets us inherit SIGPIPE ignored, or not: settle it here. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execv(args->v[0], (char *const *)args->v);
}

static enum sbx_err
cannot_run(const struct delegate *delegate, struct sbx_why *why)
{
	return sbx_fail(why, SBX_PROGRAM,
	    "cannot run %s: is sandbox-ssh installed completely?",
	    delegate->program);
}

static _Noreturn void
child(const struct delegate_args *args, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* ssh ends its proxy when it gives up; nothing may go on after us. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(CANNOT_EXECUTE);
	execute(args);
	_exit(CANNOT_EXECUTE);
}

enum sbx_err
delegate_run(const struct delegate *delegate, bool quiet, const char *verb,
    const struct alias *alias, int *ret_status, struct sbx_why *why)
{
	struct delegate_args args = delegate_build(
	    delegate, quiet, verb, alias == NULL ? NULL : alias->text);
	pid_t self = getpid(), pid = fork();
	int status;

	if (pid == 0)
		child(&args, self);
	if (pid < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return sbx_fail(why, SBX_IO, "cannot wait for %s: %s",
			    delegate->program, strerror(errno));
	}
	if (WIFSIGNALED(status))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%s was ended by signal %d", delegate->program,
		    WTERMSIG(status));
	if (WEXITSTATUS(status) == CANNOT_EXECUTE)
		return cannot_run(delegate, why);
	*ret_status = WEXITSTATUS(status);
	return SBX_OK;
}
