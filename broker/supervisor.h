/* SPDX-License-Identifier: ISC */
/*
 * sandboxd's first process: makes the folders, the CA key and the listening
 * socket, starts the others in order, and ends them together.
 */
#ifndef SBX_BROKER_SUPERVISOR_H
#define SBX_BROKER_SUPERVISOR_H

#include "broker/manager.h"
#include "broker/settings.h"

struct supervisor;

/* Why supervisor_watch came back. */
enum watched { WATCHED_END, WATCHED_RELOAD, WATCHED_NO_SOCKET };

/*
 * Prepare: folders, locks, CA key.  The settings are copied; the manager's
 * socket, if there is one, is taken over.  SBX_STATE when another sandboxd
 * has this state folder or this socket.
 */
enum sbx_err supervisor_new(const struct broker_settings *settings,
    const struct manager *manager, struct supervisor **ret,
    struct sbx_why *why) MUST_USE;
/*
 * Start the processes; their messages go to log_fd.  SBX_OK: the API
 * answers.  Otherwise everything that was started is gone again.
 */
enum sbx_err supervisor_start(
    struct supervisor *supervisor, int log_fd, struct sbx_why *why) MUST_USE;
/*
 * Watch.  WATCHED_RELOAD on SIGHUP, WATCHED_END on SIGTERM or SIGINT: all are
 * as they were.  WATCHED_NO_SOCKET when nothing lies where ours did, so that
 * nobody finds us.  SBX_INTERNAL when one of the processes died, why naming it.
 */
enum sbx_err supervisor_watch(struct supervisor *supervisor,
    enum watched *ret_what, struct sbx_why *why) MUST_USE;
/* End them. */
void supervisor_stop(struct supervisor *supervisor);
/*
 * Other settings: the processes are replaced by new ones that have them, one
 * after the other, and who calls meanwhile waits.  What only a new start can
 * change keeps its value, and *ret_kept names it; NULL: nothing of it was
 * asked for.  *ret_goes_on, with an error: the ones that were there still
 * serve, with the settings that they had; false: nobody does.
 */
enum sbx_err supervisor_reload(struct supervisor *supervisor,
    const struct broker_settings *settings, int log_fd, const char **ret_kept,
    bool *ret_goes_on, struct sbx_why *why) MUST_USE;
/* Listen there again; the same for the rest as a reload that changes nothing.
 */
enum sbx_err supervisor_listen_again(struct supervisor *supervisor, int log_fd,
    bool *ret_goes_on, struct sbx_why *why) MUST_USE;
void supervisor_free(struct supervisor *supervisor); /* NULL allowed */

#endif
