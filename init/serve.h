/* SPDX-License-Identifier: ISC */
/*
 * Accepting connections on a socket that somebody else made, one command per
 * connection, as inetd(8) does it; and being the parent of whatever those
 * commands leave behind.
 */
#ifndef SBX_INIT_SERVE_H
#define SBX_INIT_SERVE_H

#include "init/quota.h"

/* From the polite signals to SIGKILL, after SIGTERM and after SIGINT. */
#define SERVE_GRACE_MS 2000
#define SERVE_SHORT_MS 500

struct serve {
	int listen_fd;
	int control_fd; /* a new listen_fd may come there; -1: none */
	int ready_fd;	/* one byte goes there once we accept; -1: none */
	struct quota quota;
	const char *full; /* path of a file, see below; NULL: none */
	char **command;	  /* path and arguments, ends with NULL */
};

/*
 * While all connections are in use, full is there and has their number in it,
 * since nobody else can tell those who wait.
 *
 * When the quota's folder gets too large, every process below this one is
 * ended, and commands can write to no file until it has become smaller.
 *
 * Runs until SIGTERM or SIGINT, then ends every process below this one.
 * Returns the exit status; what went wrong is on standard error.
 */
int serve(const struct serve *how);

#endif
