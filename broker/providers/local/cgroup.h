/* SPDX-License-Identifier: ISC */
/*
 * A control group for each sandbox, cgroups(7), versions 1 and 2: made by us
 * where no systemd is there to be asked (common/scope.h), and read in either
 * case.
 */
#ifndef SBX_LOCAL_CGROUP_H
#define SBX_LOCAL_CGROUP_H

#include "broker/providers/local/limits.h"

#define CGROUP_MAX 2 /* version 1 has one for each controller */

/* Folders, "" where there cannot be any. */
struct cgroup {
	char path[CGROUP_MAX][PATHS_MAX];
};

/*
 * Where groups of this name would be: beside our own group or, in version 1,
 * below it.  To be written down before they are made.
 */
struct cgroup cgroup_name(const char *name) MUST_USE;
/*
 * Put the process into them, if we may.  What binds then, cgroup_read tells.
 */
void cgroup_make(
    const struct cgroup *cgroup, const struct box_limits *limits, pid_t pid);
/* Of processes that have ended; they need not have been made. */
void cgroup_remove(const struct cgroup *cgroup);

/* What the group of a process takes, if the group's name begins so. */
struct cgroup_usage {
	uint64_t processes, processes_max; /* 0 for max: no limit */
	uint64_t memory, memory_max;
};
struct cgroup_usage cgroup_read(pid_t pid, const char *name) MUST_USE;

/* Bytes of memory that we could use: the machine's, or less by our group. */
uint64_t cgroup_machine_memory(void) MUST_USE;

#endif
