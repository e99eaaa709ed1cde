/* SPDX-License-Identifier: ISC */
/*
 * Removing a folder that a hostile user has filled.
 */
#ifndef SBX_LOCAL_TREE_H
#define SBX_LOCAL_TREE_H

#include "common/err.h"

/*
 * Remove parent/name and everything in it; nothing there is SBX_OK.  No
 * symbolic link is followed, and however deep the tree is, only a few
 * descriptors and no recursion are needed.
 */
enum sbx_err
tree_remove(int parent, const char *name, struct sbx_why *why) MUST_USE;

#endif
