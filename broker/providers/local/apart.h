/* SPDX-License-Identifier: ISC */
/*
 * A sandbox apart from sandboxd and from each other: a control group of its
 * own where there is who makes one, so that it outlives sandboxd's unit and
 * is held to its memory; and what it is held to, on record while it runs in
 * the file "limits" of its folder.
 */
#ifndef SBX_LOCAL_APART_H
#define SBX_LOCAL_APART_H

#include "broker/providers/local/box.h"
#include "broker/providers/local/cgroup.h"

/*
 * In numbers, here; that of the file system holds from now on.  box: NULL
 * where there is none yet.
 */
struct box_limits
apart_limits(const struct local_limits *wanted, const struct box *box) MUST_USE;

/*
 * Before the child has children: pid will be the sandbox.  Sets how limits
 * hold, and cannot fail: what does not hold is what usage says.
 */
void apart_put(const struct box *box, struct box_limits *limits, pid_t pid);
/* Of a sandbox that has ended. */
void apart_clean(const struct box *box);

/* All that is known of a running one, pid being one of its processes. */
void apart_usage(const struct box *box, pid_t pid, struct provider_usage *ret);

#endif
