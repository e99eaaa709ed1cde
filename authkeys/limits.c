/* SPDX-License-Identifier: ISC */
#include "authkeys/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/sanitized.h"
#include "authkeys/seccomp.h"

static const struct {
	int resource;
	rlim_t max;
	bool spare_sanitizers;
	bool when_sealed; /* not before */
} limits[] = {
	{ RLIMIT_AS, 64 * 1024 * 1024, true, false },
	{ RLIMIT_NPROC, 0, true, true },
	{ RLIMIT_NOFILE, 16, false, false },
	{ RLIMIT_FSIZE, 1024 * 1024, false, false },
	{ RLIMIT_CORE, 0, false, false },
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/* Those that limits_apply lowered. */
static rlim_t inherited[LIMITS];
static bool applied;

static bool
inherit(void)
{
	struct rlimit limit;

	for (size_t i = 0; i < LIMITS; i++) {
		if (getrlimit(limits[i].resource, &limit) < 0)
			return false;
		inherited[i] = limit.rlim_cur;
	}
	applied = true;
	return true;
}

static bool
lower(int resource, rlim_t max, bool hard)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return false;
	if (limit.rlim_cur > max)
		limit.rlim_cur = max;
	if (hard)
		limit.rlim_max = limit.rlim_cur;
	return setrlimit(resource, &limit) == 0;
}

static bool
lower_all(bool sealed)
{
	bool ok = true;

	for (size_t i = 0; ok && i < LIMITS; i++) {
		if ((SANITIZED && limits[i].spare_sanitizers) ||
		    (!sealed && limits[i].when_sealed))
			continue;
		ok = lower(limits[i].resource, limits[i].max, sealed);
	}
	return ok;
}

/*
 * The alarm must kill and a reader that went away must not, whatever was
 * inherited.
 */
static bool
set_signals(void)
{
	sigset_t none;

	if (sigemptyset(&none) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return false;
	if (signal(SIGALRM, SIG_DFL) == SIG_ERR ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return false;
	(void)alarm(LIMITS_SECONDS);
	return true;
}

/*
 * A file that is opened must not land on a closed standard descriptor.  For
 * reading only: an answer that nobody gets must fail.
 */
static bool
fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return false;
	}
	return true;
}

static enum sbx_err
result(bool ok, struct sbx_why *why)
{
	if (ok)
		return SBX_OK;
	return sbx_fail(why, SBX_INTERNAL, "cannot limit this process: %s",
	    strerror(errno));
}

enum sbx_err
limits_apply(struct sbx_why *why)
{
	/*
	 * Others may run as the same account.  None of them shall write to
	 * our standard output through /proc, or trace us.
	 */
	return result(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
		set_signals() && fill_descriptors() && inherit() &&
		lower_all(/* sealed= */ false),
	    why);
}

enum sbx_err
limits_seal(struct sbx_why *why)
{
	return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		lower_all(/* sealed= */ true) && seccomp_apply(),
	    why);
}

void
limits_extend(unsigned seconds)
{
	(void)alarm(LIMITS_SECONDS + seconds);
}

enum sbx_err
limits_lift(void)
{
	struct rlimit limit;

	for (size_t i = 0; applied && i < LIMITS; i++) {
		if (getrlimit(limits[i].resource, &limit) < 0)
			return SBX_INTERNAL;
		limit.rlim_cur = inherited[i];
		if (setrlimit(limits[i].resource, &limit) < 0)
			return SBX_INTERNAL;
	}
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_DFL) == SIG_ERR)
		return SBX_INTERNAL;
	return SBX_OK;
}
