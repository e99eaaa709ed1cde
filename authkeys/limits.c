#include "authkeys/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A sanitizer's run-time needs address space and a process of its own. */
#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const struct {
	int resource;
	rlim_t max;
	bool spare_sanitizers;
} limits[] = {
	{ RLIMIT_AS, 64 * 1024 * 1024, true },
	{ RLIMIT_NPROC, 0, true },
	{ RLIMIT_NOFILE, 16, false },
	{ RLIMIT_FSIZE, 1024 * 1024, false },
	{ RLIMIT_CORE, 0, false },
};

static bool
lower(int resource, rlim_t max)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return false;
	if (limit.rlim_max > max)
		limit.rlim_max = max;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) == 0;
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

enum sbx_err
limits_apply(struct sbx_why *why)
{
	bool ok = set_signals() && fill_descriptors() &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

	for (size_t i = 0; ok && i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!SANITIZED || !limits[i].spare_sanitizers)
			ok = lower(limits[i].resource, limits[i].max);
	}
	if (ok)
		return SBX_OK;
	return sbx_fail(why, SBX_INTERNAL, "cannot limit this process: %s",
	    strerror(errno));
}
