/* SPDX-License-Identifier: ISC */
/*
 * How sandbox-relay reaches an endpoint, and who may learn the token.
 */
#ifndef SBX_TUNNEL_PLAN_H
#define SBX_TUNNEL_PLAN_H

#include "net/link.h"
#include "net/settings.h"
#include "proxycmd/dial/endpoint.h"

#define TUNNEL_TIMEOUT 10000 /* milliseconds for each stage */

/*
 * Everything but the token; what it points to belongs to the others.
 * SBX_BAD_VALUE for an endpoint that needs no relay.
 */
enum sbx_err
tunnel_plan(const struct endpoint *endpoint, const struct settings *settings,
    struct link_request *ret, struct sbx_why *why) MUST_USE;
/*
 * The token is for the broker: only an endpoint at the same host and port,
 * just as well protected, may see it.
 */
bool
tunnel_is_broker(const struct endpoint *endpoint, const char *url) MUST_USE;

#endif
