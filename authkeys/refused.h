/* SPDX-License-Identifier: ISC */
/*
 * The file last_refusal: what was refused last, for whoever looks after the
 * gate and cannot see the log (common/refusal.h).
 */
#ifndef SBX_AUTHKEYS_REFUSED_H
#define SBX_AUTHKEYS_REFUSED_H

#include <sys/types.h>

#include "common/refusal.h"

/*
 * Write over the file at path, or make it, for all to read: a plain file of
 * owner's, no link.  It need not be on disk, and two at once leave one of
 * them.  SBX_UNTRUSTED, SBX_IO.
 */
enum sbx_err refused_put(
    const char *path, uid_t owner, const struct refusal *refusal) MUST_USE;

#endif
