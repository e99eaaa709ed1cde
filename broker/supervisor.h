/* SPDX-License-Identifier: ISC */
/*
 * sandboxd's first process: makes the folders, the CA key and the listening
 * socket, starts the others in order, and ends them together.
 */
#ifndef SBX_BROKER_SUPERVISOR_H
#define SBX_BROKER_SUPERVISOR_H

#include "broker/settings.h"

struct supervisor;

/*
 * Prepare: folders, locks, CA key.  SBX_STATE when another sandboxd has this
 * state folder or this socket.
 */
enum sbx_err supervisor_new(const struct broker_settings *settings,
    struct supervisor **ret, struct sbx_why *why) MUST_USE;
/*
 * Start the processes; their messages go to log_fd.  SBX_OK: the API
 * answers.  Otherwise everything that was started is gone again.
 */
enum sbx_err supervisor_start(
    struct supervisor *supervisor, int log_fd, struct sbx_why *why) MUST_USE;
/*
 * Watch until SIGTERM or SIGINT (SBX_OK), or until one of the processes dies
 * (SBX_INTERNAL, why naming it); ends the others either way.
 */
enum sbx_err
supervisor_watch(struct supervisor *supervisor, struct sbx_why *why) MUST_USE;
void supervisor_free(struct supervisor *supervisor); /* NULL allowed */

#endif
