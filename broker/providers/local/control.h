/* SPDX-License-Identifier: ISC */
/*
 * How we talk to process 1 of a sandbox that runs: a datagram socket in the
 * sandbox's folder, which nobody in the sandbox and no other user can reach.
 * init/control.h has the messages.
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
/*
 * Who is there; not known where process 1 is of an earlier release.  What it
 * says comes out of the sandbox: nothing hangs on it but that sandbox.
 */
enum sbx_err control_sessions(const struct box *box,
    struct provider_sessions *ret, struct sbx_why *why) MUST_USE;
/* The same from its text, init/sessions.h; what is malformed is left out. */
void control_parse_sessions(struct view text, struct provider_sessions *ret);
/* A text on the terminals of all who are there. */
enum sbx_err control_tell(
    const struct box *box, const char *text, struct sbx_why *why) MUST_USE;

#endif
