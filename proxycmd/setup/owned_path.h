/* SPDX-License-Identifier: ISC */
/*
 * Whose folders and links lead to a file.  Who edits a file as root must not be
 * led elsewhere by somebody who owns a part of the way.
 */
#ifndef SBX_OWNED_PATH_H
#define SBX_OWNED_PATH_H

#include <limits.h>
#include <sys/types.h>

#include "common/err.h"

/*
 * SBX_UNTRUSTED if a folder or a symbolic link on the way to path, which is
 * absolute, belongs to neither owner nor root.  What is missing belongs to
 * nobody.  ret_real is the path without the links as they were then.
 */
enum sbx_err owned_path_check(const char *path, uid_t owner,
    char ret_real[static PATH_MAX], struct sbx_why *why) MUST_USE;
/*
 * Open a folder by such a path: each part of it is looked at when it is had, so
 * that what was put there since the check is refused, a link whoever's it is.
 * make: the last one, with mode 0700, if it is missing.  SBX_NOT_FOUND.
 */
enum sbx_err owned_path_open(const char *real, uid_t owner, bool make,
    int *ret_fd, struct sbx_why *why) MUST_USE;

#endif
