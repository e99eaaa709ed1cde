/* SPDX-License-Identifier: ISC */
/*
 * Who could not get in, as the broker tells of it.  Both come from inside of
 * the sandbox: they are false unless they are what we know.
 */
#ifndef SBX_NET_REFUSED_H
#define SBX_NET_REFUSED_H

#include <json-c/json.h>

#include "common/refusal.h"

/* The member "last_refusal" of a sandbox. */
bool refused_read(struct json_object *sandbox, struct refusal *ret) MUST_USE;
/* The member "full": so many connections are its limit. */
bool refused_full(struct json_object *sandbox, uint64_t *ret) MUST_USE;

#endif
