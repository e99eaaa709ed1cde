/* SPDX-License-Identifier: ISC */
/*
 * A root file system of one's own: read-only, and above it what is written,
 * in memory.  Where nobody inside may write to it, because it belongs to the
 * host's users, what a sandbox needs is mounted over it.
 */
#ifndef SBX_LOCAL_OVERLAY_H
#define SBX_LOCAL_OVERLAY_H

/*
 * At STAGE_ROOT, of the folder root and STAGE_UPPER, for the sandbox id; as
 * stage_make calls it.  Exit status, 0 to go on.
 */
int overlay_make(int root, const char *id);

#endif
