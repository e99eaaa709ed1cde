/* SPDX-License-Identifier: ISC */
/*
 * What the kernel holds a sandbox to, whoever it is inside: resource limits
 * and the counters of user namespaces.
 *
 * Both are counted for a namespace as a whole if its maker is not root: it
 * is charged with everything below.
 */
#ifndef SBX_LOCAL_LIMITS_H
#define SBX_LOCAL_LIMITS_H

#include "broker/providers/provider.h"

/* What one sandbox is held to, in numbers. */
struct box_limits {
	uint64_t processes;
	uint64_t ptys;
	uint64_t memory; /* bytes */
	enum limited memory_by;
	uint64_t tmpfs;	    /* bytes of each */
	uint64_t workspace; /* bytes */
	uint64_t files;	    /* in the workspace */
	enum limited workspace_by;
};

/* memory, disk: bytes of which limits may be a share. */
struct box_limits limits_of(
    const struct local_limits *wanted, uint64_t memory, uint64_t disk) MUST_USE;

/*
 * Processes that the sandbox may have beyond the limit of each of its users,
 * so that sshd can still say why it cannot start another.
 */
#define LIMITS_SPARE 64

/*
 * Call both in the process that becomes the sandbox, before and after it
 * makes the namespace; the second as its root.  False with errno set.
 */
bool limits_of_namespace(const struct box_limits *limits) MUST_USE;
bool limits_of_users(const struct box_limits *limits) MUST_USE;
/* As soon as memory_by is known. */
bool limits_of_memory(const struct box_limits *limits) MUST_USE;

/*
 * The counters of user_namespaces(7): read what holds here, then, in a
 * namespace that was made meanwhile, give each of its users a share-th part
 * of it, and some namespaces.  Where /proc/sys is read-only the host's own
 * limits have to do.
 */
#define LIMITS_COUNTERS 12

struct counters {
	uint64_t max[LIMITS_COUNTERS]; /* 0: not known */
};

void limits_read_counters(struct counters *ret);
void limits_write_counters(const struct counters *outside, unsigned share);

#endif
