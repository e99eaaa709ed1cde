/* SPDX-License-Identifier: ISC */
/*
 * Waking a sandbox and waiting until it runs.
 */
#ifndef SBX_NET_START_H
#define SBX_NET_START_H

#include "net/client.h"

/*
 * Ask the broker to start it, again and again until it runs or wait seconds
 * are over (SBX_TIMEOUT).  *ret is the sandbox as the broker last told it;
 * the caller frees it.  id was parsed before.
 */
enum sbx_err client_start(struct client *client, const char *id, uint64_t wait,
    struct json_object **ret, struct sbx_why *why) MUST_USE;

#endif
