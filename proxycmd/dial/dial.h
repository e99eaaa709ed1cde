/* SPDX-License-Identifier: ISC */
/*
 * From endpoints to one connection, as RFC 8305 says.  The addresses of an
 * endpoint are raced: families in turn, a new attempt every DIAL_ATTEMPT
 * milliseconds or as soon as one has failed.  The endpoints are raced in
 * the same way, so one that is dead costs the next one no more than that.
 * The first connection wins.
 */
#ifndef SBX_DIAL_H
#define SBX_DIAL_H

#include <stddef.h>

#include "common/paths.h"
#include "proxycmd/dial/deadline.h"

#define DIAL_ATTEMPT 250 /* milliseconds */
#define DIAL_ENDPOINTS 8

struct endpoint;

/* What some kinds of endpoints need. */
struct dial_setup {
	const struct paths *paths;
	const char *name;   /* of the sandbox, NULL if it has none */
	const char *config; /* the file to read, NULL for the usual ones */
	const char *relay;  /* absolute path of sandbox-relay */
};

/*
 * A connected, blocking descriptor, behind which the SSH server is the next
 * to speak; on TCP with TCP_NODELAY and keepalive.  SBX_UNAVAILABLE when
 * nothing takes the connection, SBX_TIMEOUT; of several failures the one
 * that says most is told.
 */
enum sbx_err dial_race(const struct endpoint *endpoints, size_t count,
    const struct dial_setup *setup, struct deadline deadline, int *ret_fd,
    struct sbx_why *why) MUST_USE;

#endif
