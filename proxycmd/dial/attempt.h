/* SPDX-License-Identifier: ISC */
/*
 * One attempt at one address, or at an endpoint that has none: a state
 * machine that never blocks.
 */
#ifndef SBX_ATTEMPT_H
#define SBX_ATTEMPT_H

#include <sys/types.h>

#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/greeting.h"
#include "proxycmd/dial/lookup.h"

enum step {
	STEP_WAIT, /* until watch is ready for events, or until again */
	STEP_DONE, /* fd is connected */
	STEP_FAILED,
};

struct attempt;
typedef enum step attempt_step(struct attempt *attempt);

struct attempt {
	const struct endpoint *endpoint;
	const struct dial_setup *setup;
	const struct address *address; /* of kinds that are looked up */
	attempt_step *step;	       /* what to do when the wait is over */
	int watch;		       /* waited for; -1: nothing */
	short events;
	struct deadline again; /* .at 0: no such time */
	int fd;		       /* the connection */
	int status;	       /* what sandbox-relay or a lookup says */
	pid_t pid;	       /* of a child, or 0 */
	struct greeting *greeting;
	enum sbx_err err; /* after STEP_FAILED */
	struct sbx_why why;
};

/* The kinds' ways to begin. */
attempt_step attempt_start_unix;
attempt_step attempt_start_tcp;
attempt_step attempt_start_vsock;
attempt_step attempt_start_exec;
attempt_step attempt_start_relay;
/*
 * Not a connection: asks for the addresses of the endpoint's host, which
 * lookup_finish() takes from status when it is done.
 */
attempt_step attempt_start_lookup;

void attempt_init(struct attempt *ret, const struct endpoint *endpoint,
    const struct dial_setup *setup, const struct address *address);
/* Nothing of it goes on; fd is closed unless it was taken. */
void attempt_end(struct attempt *attempt);

#endif
