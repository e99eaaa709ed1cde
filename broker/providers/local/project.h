/* SPDX-License-Identifier: ISC */
/*
 * A quota on a folder by the file system itself: it and all that is made in
 * it belong to a project, whose number is the first uid of the sandbox.  ext4
 * and XFS have that, mounted with prjquota; only root can set it.
 */
#ifndef SBX_LOCAL_PROJECT_H
#define SBX_LOCAL_PROJECT_H

#include "broker/providers/local/limits.h"

/* A folder that is still empty; where it cannot be had nothing happens. */
void project_assign(int folder, uint64_t project);
bool project_has(int folder, uint64_t project) MUST_USE;
/* False unless the file system holds the folder to that from now on. */
bool project_limit(
    int folder, uint64_t project, const struct box_limits *limits) MUST_USE;
/* False: it is not limited so. */
bool project_usage(int folder, uint64_t project, uint64_t *ret_bytes,
    uint64_t *ret_files) MUST_USE;

#endif
