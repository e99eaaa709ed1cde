/* SPDX-License-Identifier: ISC */
/*
 * How we talk to process 1 of a sandbox that runs: a datagram socket in the
 * sandbox's folder, which nobody in the sandbox and no other user can reach.
 * A datagram of one byte carries two descriptors: a listening socket that
 * takes the place of the one it accepts on, and one end of a pair where it
 * answers with a byte.
 */
#ifndef SBX_LOCAL_CONTROL_H
#define SBX_LOCAL_CONTROL_H

#include "broker/providers/local/box.h"

/* The socket, for sandbox-init to inherit. */
enum sbx_err
control_bind(const struct box *box, int *ret, struct sbx_why *why) MUST_USE;
/* Returns when process 1 accepts on listener. */
enum sbx_err control_replace_listener(
    const struct box *box, int listener, struct sbx_why *why) MUST_USE;

#endif
