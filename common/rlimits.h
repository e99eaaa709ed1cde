/* SPDX-License-Identifier: ISC */
/*
 * Resource limits as a login, or a daemon, gets them on a machine that nobody
 * has changed; but for the number of processes, which goes by its memory.
 */
#ifndef SBX_RLIMITS_H
#define SBX_RLIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

#define RLIMITS_USUAL 15

struct usual_rlimit {
	__rlimit_resource_t resource;
	const char *name; /* as in limits.conf(5) */
	rlim_t soft, hard;
};

extern const struct usual_rlimit rlimits_usual[RLIMITS_USUAL];

/*
 * A hard limit that we may not raise stays, and the soft one is at most that.
 * False with errno set.
 */
bool rlimits_set(__rlimit_resource_t resource, rlim_t soft, rlim_t hard);

#endif
