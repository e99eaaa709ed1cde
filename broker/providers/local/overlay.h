/* SPDX-License-Identifier: ISC */
/*
 * A root file system of one's own: read-only, and above it what is written,
 * in memory.  Where nobody inside may write to it, because it belongs to the
 * host's users, what a sandbox needs is mounted over it.
 */
#ifndef SBX_LOCAL_OVERLAY_H
#define SBX_LOCAL_OVERLAY_H

#include "broker/providers/local/stage.h"

/*
 * At STAGE_ROOT, of the stage's root and STAGE_UPPER; as stage_make calls it.
 * Exit status, 0 to go on.
 */
int overlay_make(const struct stage *stage);

#endif
