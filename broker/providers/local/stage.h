/* SPDX-License-Identifier: ISC */
/*
 * What bubblewrap puts a sandbox together from, mounted before it runs, in
 * the sandbox's user namespace and a mount namespace that nobody else sees:
 * file systems of a limited size, and what the host shows of itself, or
 * another root than the host's (overlay.h).  And its network.
 */
#ifndef SBX_LOCAL_STAGE_H
#define SBX_LOCAL_STAGE_H

#include "broker/providers/local/limits.h"

/* Any folder that exists everywhere. */
#define STAGE "/mnt"
#define STAGE_BOX STAGE "/box"	   /* the sandbox's own folder */
#define STAGE_ROOT STAGE "/root"   /* its /, with what is shown of the host */
#define STAGE_UPPER STAGE "/upper" /* what is written above another root */
#define STAGE_TMP STAGE "/tmp"
#define STAGE_SHM STAGE "/shm"
#define STAGE_PTS STAGE "/pts"

/* Open folders; -1: none. */
struct stage {
	int box;
	int root; /* its own; none: the host's */
	const char *id;
	const struct provider_network *network; /* NULL: it has none */
	char resolver[46];			/* for that; "": none */
};

#define STAGE_INIT ((struct stage){ -1, -1, NULL, NULL, "" })

/* In the child, as root of the namespace.  Exit status, 0 to go on. */
int stage_make(const struct stage *stage, const struct box_limits *limits);

#endif
