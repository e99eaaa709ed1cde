/* SPDX-License-Identifier: ISC */
/*
 * Programs that stand between ssh and a sandbox: sandbox-relay, and the
 * commands of [exec "NAME"].  They get one end of a pair of sockets, ssh the
 * other; they end when ssh closes it.
 */
#ifndef SBX_HELPER_H
#define SBX_HELPER_H

#include <sys/types.h>

#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/endpoint.h"

/*
 * The pair is the command's standard input and output; standard error is
 * ours.  No shell: the words of the configured command, with the endpoint's
 * id for %i.  SBX_CONFIG if there is none of that name.
 */
enum sbx_err helper_start_command(const struct endpoint *endpoint,
    const struct dial_setup *setup, pid_t *ret_pid, int *ret_fd,
    struct sbx_why *why) MUST_USE;

/*
 * sandbox-relay, with the pair as standard input; *ret_status becomes
 * readable when it is connected or has given up.  Until then it ends with us.
 */
enum sbx_err helper_start_relay(const struct endpoint *endpoint,
    const struct dial_setup *setup, pid_t *ret_pid, int *ret_fd,
    int *ret_status, struct sbx_why *why) MUST_USE;
/* SBX_OK when it is connected, otherwise what it said. */
enum sbx_err helper_relay_ready(int status, struct sbx_why *why) MUST_USE;

#endif
