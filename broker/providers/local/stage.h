/* SPDX-License-Identifier: ISC */
/*
 * What bubblewrap puts a sandbox together from, mounted before it runs, in
 * the sandbox's user namespace and a mount namespace that nobody else sees:
 * file systems of a limited size, and what the host shows of itself.  And its
 * network.
 */
#ifndef SBX_LOCAL_STAGE_H
#define SBX_LOCAL_STAGE_H

#include "broker/providers/local/limits.h"

/* Any folder that exists everywhere. */
#define STAGE "/mnt"
#define STAGE_BOX STAGE "/box"	 /* the sandbox's own folder */
#define STAGE_ROOT STAGE "/root" /* its /, with what is shown of the host */
#define STAGE_TMP STAGE "/tmp"
#define STAGE_SHM STAGE "/shm"
#define STAGE_PTS STAGE "/pts"

/*
 * In the child, as root of the namespace.  box: an open folder, or -1 for
 * none.  Exit status, 0 to go on.
 */
int stage_make(int box, const struct box_limits *limits);

#endif
