/* SPDX-License-Identifier: ISC */
/*
 * Where a sandbox with a network may connect to: lines "ADDRESS PORT",
 * "NETWORK/BITS FROM-TO", or "dns" for the host's resolver; as a script of
 * nft(8).
 */
#ifndef SBX_LOCAL_RULES_H
#define SBX_LOCAL_RULES_H

#include "broker/providers/provider.h"
#include "common/buf.h"

/* SBX_BAD_VALUE, with the line, for what is none. */
enum sbx_err rules_check(
    const struct provider_network *network, struct sbx_why *why) MUST_USE;
/* Lines that were checked: all else is refused.  resolver: "" if none. */
void rules_put(const struct provider_network *network, const char *resolver,
    struct buf *ret);

#endif
