/* SPDX-License-Identifier: ISC */
/*
 * Sandboxes that platforms have, by whosever hand: they get a row in the store
 * when somebody asks for one of them, or for a list.  They count for nobody,
 * and belong to whose broker this is; whoever may use the platform may use
 * them (access_may).
 */
#ifndef SBX_BROKER_PLATFORMS_H
#define SBX_BROKER_PLATFORMS_H

#include "broker/life/sandboxes.h"

/*
 * One that the store does not have, from the platforms that are asked for such
 * ids ([route]) and that the caller may use; provider: this one alone, whatever
 * is asked of it, or "".  SBX_NOT_FOUND; SBX_STATE when two have it, naming
 * both.
 */
enum sbx_err platforms_find(struct broker *broker, const struct caller *caller,
    const char *id, const char *provider, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/*
 * Bring the store up to date with what a platform lists, or all that the
 * caller may use (""), unless that was done just now.  A slow one is not
 * waited for: what it says comes in later.
 */
void platforms_sync(
    struct broker *broker, const struct caller *caller, const char *provider);

#endif
