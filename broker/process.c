/* SPDX-License-Identifier: ISC */
#include "broker/process.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int
by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void
process_keep_fds(const int *fds, size_t count)
{
	int keep[PROCESS_FDS_MAX];
	unsigned first = STDERR_FILENO + 1;

	if (count > PROCESS_FDS_MAX)
		abort();
	memcpy(keep, fds, count * sizeof(*fds));
	qsort(keep, count, sizeof(*keep), by_number);
	for (size_t i = 0; i < count; i++) {
		unsigned fd = (unsigned)keep[i];

		if (keep[i] < 0 || fd < first)
			continue;
		if (fd > first)
			(void)close_range(first, fd - 1, 0);
		first = fd + 1;
	}
	(void)close_range(first, ~0U, 0);
}

void
process_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void
process_title(const char *title)
{
	(void)prctl(PR_SET_NAME, title);
}

static enum sbx_err
fail(const char *what, struct sbx_why *why)
{
	return sbx_fail(why, SBX_REFUSED, "cannot give up privileges: %s: %s",
	    what, strerror(errno));
}

enum sbx_err
process_drop(uid_t id, struct sbx_why *why)
{
	if (geteuid() == 0 && id != 0) {
		if (setgroups(0, NULL) < 0)
			return fail("setgroups", why);
		if (setresgid((gid_t)id, (gid_t)id, (gid_t)id) < 0)
			return fail("setresgid", why);
		if (setresuid(id, id, id) < 0)
			return fail("setresuid", why);
		if (setresuid(0, 0, 0) == 0) {
			errno = EPERM;
			return fail("root can be had again", why);
		}
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("no_new_privs", why);
	return SBX_OK;
}

enum sbx_err
process_hide(struct sbx_why *why)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? fail("dumpable", why)
						      : SBX_OK;
}

bool
process_follow(pid_t parent, int signal)
{
	(void)prctl(PR_SET_PDEATHSIG, signal);
	return getppid() == parent;
}
