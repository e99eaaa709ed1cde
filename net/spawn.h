/* SPDX-License-Identifier: ISC */
/*
 * Run another program to its end and keep what it says on one stream:
 * token_command, and sandboxd when it is started on demand.
 */
#ifndef SBX_NET_SPAWN_H
#define SBX_NET_SPAWN_H

#include "common/buf.h"

/* Exit status of a program that could not be executed. */
#define SPAWN_FAILED 127

struct spawn {
	/* argv[0] is looked up in PATH unless it has a slash */
	const char *const *argv;
	int keep;     /* STDOUT_FILENO or STDERR_FILENO */
	bool silence; /* the other stream: /dev/null or inherited */
	const char *const *environment; /* NULL: ours */
	unsigned timeout;		/* seconds, then it is killed */
};

/*
 * SBX_OK if it ran and ended, *ret_status as waitpid(2) gives it.  Standard
 * input is /dev/null and no other descriptor is passed on.  What it said is
 * appended to ret up to its cap; the rest is thrown away, ret stays usable.
 * A process that it leaves behind is not waited for.
 */
enum sbx_err spawn_run(const struct spawn *spawn, int *ret_status,
    struct buf *ret, struct sbx_why *why) MUST_USE;

#endif
