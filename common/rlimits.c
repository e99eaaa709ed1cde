/* SPDX-License-Identifier: ISC */
#include "common/rlimits.h"

#include <errno.h>

#define MIB (1024 * 1024)

const struct usual_rlimit rlimits_usual[RLIMITS_USUAL] = {
	{ RLIMIT_AS, "as", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_CORE, "core", 0, RLIM_INFINITY },
	{ RLIMIT_CPU, "cpu", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_DATA, "data", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_FSIZE, "fsize", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_LOCKS, "locks", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_MEMLOCK, "memlock", 8 * MIB, 8 * MIB },
	{ RLIMIT_MSGQUEUE, "msgqueue", 819200, 819200 },
	{ RLIMIT_NICE, "nice", 0, 0 },
	{ RLIMIT_NOFILE, "nofile", 1024, 524288 },
	{ RLIMIT_RSS, "rss", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_RTPRIO, "rtprio", 0, 0 },
	{ RLIMIT_RTTIME, "rttime", RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_SIGPENDING, "sigpending", 16384, 16384 },
	{ RLIMIT_STACK, "stack", 8 * MIB, RLIM_INFINITY },
};

bool
rlimits_set(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
	struct rlimit old, limit = { soft, hard };

	if (setrlimit(resource, &limit) == 0)
		return true;
	if (errno != EPERM || getrlimit(resource, &old) < 0)
		return false;
	limit.rlim_max = old.rlim_max;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) == 0;
}
