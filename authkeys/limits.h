/*
 * What the gate denies itself before it looks at anything: it works for a
 * stranger, in sshd's login path.
 */
#ifndef SBX_AUTHKEYS_LIMITS_H
#define SBX_AUTHKEYS_LIMITS_H

#include "common/err.h"

#define LIMITS_SECONDS 5 /* after these it is killed: a denial */

enum sbx_err limits_apply(struct sbx_why *why) MUST_USE;

#endif
