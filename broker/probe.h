/* SPDX-License-Identifier: ISC */
/*
 * The broker at a socket, seen from outside: does it answer, and stop it.
 */
#ifndef SBX_BROKER_PROBE_H
#define SBX_BROKER_PROBE_H

#include <sys/types.h>

#include "common/err.h"

#define PROBE_TIMEOUT 2	      /* seconds */
#define PROBE_STOP_TIMEOUT 30 /* seconds */

/* GET /v1/health on the socket; true when it says 200. */
bool probe_socket(const char *path) MUST_USE;
/*
 * Ask the process that listens there to end, and wait until it has.  No pid
 * file is needed: the socket knows who listens.  SBX_UNAVAILABLE when nobody
 * does; SBX_STATE when it is a service manager, which would start the next.
 */
enum sbx_err
probe_stop(const char *path, pid_t *ret_pid, struct sbx_why *why) MUST_USE;
/* A descriptor that means this process and no later one of its number, or -1.
 */
int probe_open(pid_t pid) MUST_USE;
/*
 * The same for a sandboxd that is known by such a descriptor and its number.
 * SBX_UNAVAILABLE when it has ended, SBX_STATE when it is something else.
 */
enum sbx_err probe_end(int process, pid_t pid, struct sbx_why *why) MUST_USE;

#endif
