/* SPDX-License-Identifier: ISC */
/*
 * Whose folders and links lead to a file.  Who edits a file as root must not be
 * led elsewhere by somebody who owns a part of the way.
 */
#ifndef SBX_OWNED_PATH_H
#define SBX_OWNED_PATH_H

#include <sys/types.h>

#include "common/err.h"

/*
 * SBX_UNTRUSTED if a folder or a symbolic link on the way to path, which is
 * absolute, belongs to neither owner nor root.  What is missing belongs to
 * nobody.
 */
enum sbx_err
owned_path_check(const char *path, uid_t owner, struct sbx_why *why) MUST_USE;

#endif
