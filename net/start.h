/* SPDX-License-Identifier: ISC */
/*
 * Starting a sandbox and waiting until it runs.
 */
#ifndef SBX_NET_START_H
#define SBX_NET_START_H

#include "net/client.h"

/*
 * Ask the broker to start it, again and again until it runs or wait seconds
 * are over (SBX_TIMEOUT).  *ret is the sandbox as the broker last told it;
 * the caller frees it.  id was parsed before.  wake: it is only because
 * somebody connects, and SBX_STATE if the sandbox is held.
 */
enum sbx_err client_start(struct client *client, const char *id, bool wake,
    uint64_t wait, struct json_object **ret, struct sbx_why *why) MUST_USE;

#endif
