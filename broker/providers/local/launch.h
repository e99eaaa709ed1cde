/* SPDX-License-Identifier: ISC */
/*
 * A process in the namespaces of a sandbox: its user namespace, what the
 * stage mounts, then bubblewrap.
 */
#ifndef SBX_LOCAL_LAUNCH_H
#define SBX_LOCAL_LAUNCH_H

#include "broker/providers/local/box.h"
#include "broker/providers/local/bwrap.h"
#include "broker/providers/local/child.h"
#include "broker/providers/local/stage.h"

struct launch {
	struct bwrap bwrap; /* begun by launch_begin */
	const struct local_slice *slice;
	struct box_limits limits;
	struct stage stage;
	int input;		 /* its standard input; -1: none */
	const struct box *group; /* it runs in this one's control group */
};

/* box: whose folder is at STAGE_BOX; NULL: none.  The root is the host's. */
void launch_begin(struct launch *ret, const struct local_limits *limits,
    const struct local_slice *slice, const struct box *box);
void launch_free(struct launch *launch);
#define cleanup_launch __attribute__((cleanup(launch_free)))

enum sbx_err launch_start(struct launch *launch, enum child_kind kind,
    struct child *ret, struct sbx_why *why) MUST_USE;
/* What ends by itself: SBX_UNAVAILABLE, with its last line, if it fails. */
enum sbx_err launch_run(struct launch *launch, struct sbx_why *why) MUST_USE;

#endif
