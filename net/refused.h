/* SPDX-License-Identifier: ISC */
/* The gate's last refusal, as the broker tells of it. */
#ifndef SBX_NET_REFUSED_H
#define SBX_NET_REFUSED_H

#include <json-c/json.h>

#include "common/refusal.h"

/*
 * The member "last_refusal" of a sandbox.  It comes from inside of it: false
 * unless it has a reason that we know.
 */
bool refused_read(struct json_object *sandbox, struct refusal *ret) MUST_USE;

#endif
