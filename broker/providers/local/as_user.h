/* SPDX-License-Identifier: ISC */
/*
 * Opening a file as its user would: with all of the user's rights, and no
 * others.
 */
#ifndef SBX_LOCAL_AS_USER_H
#define SBX_LOCAL_AS_USER_H

#include <stdint.h>

#include "common/err.h"

/*
 * For reading, without waiting for anything; links are followed as far as
 * the user may.  SBX_BAD_VALUE, with the path and why not.  A process that is
 * not root's has but its own rights, and opens with those.
 */
enum sbx_err as_user_open(
    uint64_t uid, const char *path, int *ret_fd, struct sbx_why *why) MUST_USE;

#endif
