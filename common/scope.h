/* SPDX-License-Identifier: ISC */
/*
 * A control group of its own for a process and what comes of it: a scope,
 * systemd.scope(5), which systemd makes when it is asked to.  It outlives the
 * unit, or the session, that the process came from.
 */
#ifndef SBX_SCOPE_H
#define SBX_SCOPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct scope {
	const char *name;  /* "sandbox-run-1": the unit is NAME-PID.scope */
	const char *slice; /* "sandbox.slice"; NULL: where such things go */
	uint64_t tasks;	   /* processes and threads; 0: no limit */
	uint64_t memory;   /* bytes; 0: no limit */
};

/*
 * Is there a systemd to ask: process 1 for root, and for others their own
 * manager, if we belong to it and so end with it anyway.
 */
bool scope_possible(void);
/* True if the process is in it when this returns. */
bool scope_move(const struct scope *scope, pid_t pid);

#endif
