/* SPDX-License-Identifier: ISC */
/*
 * The network of a sandbox that is to have one: pasta(1) carries what it sends
 * to sockets of the host, without any privilege there, as the uid that made
 * the sandbox's user namespace.
 */
#ifndef SBX_LOCAL_NETWORK_H
#define SBX_LOCAL_NETWORK_H

#include "broker/providers/local/box.h"

/* Is there what it takes?  SBX_PROGRAM, SBX_UNAVAILABLE, with what to do. */
enum sbx_err network_check(
    const struct provider_network *network, struct sbx_why *why) MUST_USE;

/* Whom it asks for names: the first server of the host's; "": nobody. */
#define NETWORK_ADDRESS 46
void network_resolver(
    const struct provider_network *network, char ret[static NETWORK_ADDRESS]);

/*
 * For the sandbox whose process 1 that is, which does not run yet.  It has the
 * network when this returns, and what carries it ends when process 1 does.
 * Nothing is done for one that is to have none.
 */
enum sbx_err network_start(
    const struct box *box, pid_t process_1, struct sbx_why *why) MUST_USE;

#endif
