/* SPDX-License-Identifier: ISC */
/*
 * Starting a local sandbox: with namespaces (local_start.c) or as plain
 * processes of the host (local_plain.c).
 */
#ifndef SBX_LOCAL_START_H
#define SBX_LOCAL_START_H

#include "broker/providers/local/box.h"
#include "broker/providers/local/child.h"

#define START_TIMEOUT_MS 20000

/* What process 1 gets from us. */
struct sockets {
	int listen;  /* where ssh connects */
	int control; /* control.h */
};

/*
 * The start of a process 1 that takes connections from the socket.  Returns
 * when it does, and has recorded its processes with the box by then.
 */
typedef enum sbx_err start_box(const struct provider_context *context,
    const struct box *box, const struct sockets *sockets, struct sbx_why *why);

start_box start_namespaces;
start_box start_plain;

/* Can a sandbox with namespaces be run here?  See make_probe. */
enum sbx_err start_probe(const struct provider_context *context,
    const struct local_slice *slice, struct sbx_why *why) MUST_USE;

/*
 * The second half of both: wait for sandbox-init's byte on ready.  When it
 * does not come, why is the last line of the child.
 */
enum sbx_err
start_await(const struct child *child, int ready, struct sbx_why *why) MUST_USE;

/* Of a plain one: can it be started here, who logs in, and its traces. */
enum sbx_err plain_check(
    const struct provider_context *context, struct sbx_why *why) MUST_USE;
/* The files of a running one that its gate reads; made again if missing. */
enum sbx_err plain_repair(const struct provider_context *context,
    const struct box *box, struct sbx_why *why) MUST_USE;
void plain_user(char *ret, size_t size);
void plain_clean(const struct provider_context *context, const char *id);

#endif
