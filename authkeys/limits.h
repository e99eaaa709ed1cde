/* SPDX-License-Identifier: ISC */
/*
 * What the gate denies itself: it works for a stranger, in sshd's login
 * path.
 */
#ifndef SBX_AUTHKEYS_LIMITS_H
#define SBX_AUTHKEYS_LIMITS_H

#include "common/err.h"

#define LIMITS_SECONDS 5 /* after these it is killed: a denial */

/* Before anything else. */
enum sbx_err limits_apply(struct sbx_why *why) MUST_USE;
/*
 * For good, as soon as it is known that no other program will be started:
 * the limits become hard, no process can be made, no privilege gained, and
 * only the system calls of seccomp.h are left.
 */
enum sbx_err limits_seal(struct sbx_why *why) MUST_USE;

/* Before another program is started instead: so many seconds more. */
void limits_extend(unsigned seconds);
/* In its process: what was inherited from sshd. */
enum sbx_err limits_lift(void) MUST_USE;

#endif
