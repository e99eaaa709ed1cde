/* SPDX-License-Identifier: ISC */
/*
 * Whom a sandbox is shared with: letting them in, and out again with all that
 * they have open.  What a share gives the right to is for access_may to say.
 */
#ifndef SBX_BROKER_SHARES_H
#define SBX_BROKER_SHARES_H

#include "broker/life/sandboxes.h"

/* Those who may log in, as its provider has to know. */
enum sbx_err shares_audience(struct broker *broker, const char *id,
    struct provider_audience *ret, struct sbx_why *why) MUST_USE;

/*
 * with: "NAME", "user:NAME", "group:NAME", "uid:N" or "gid:N"; a NAME alone is
 * a user's if there is one.  verbs: bits of access_shared, which take the place
 * of those that they had; ACCESS_SHOW comes with each.  Whoever may log in no
 * longer is out when it returns.  SBX_STATE where nobody else can reach the
 * broker, and for a sandbox without isolation; SBX_BAD_VALUE.
 */
enum sbx_err shares_put(struct broker *broker, const struct caller *caller,
    const char *id, const char *with, unsigned verbs, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/* SBX_STATE: there is no such share. */
enum sbx_err shares_remove(struct broker *broker, const struct caller *caller,
    const char *id, const char *with, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;

#endif
