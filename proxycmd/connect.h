/* SPDX-License-Identifier: ISC */
/*
 * sandbox-proxy connect: from an alias to a connected descriptor, waking the
 * sandbox where that is needed.
 */
#ifndef SBX_CONNECT_H
#define SBX_CONNECT_H

#include <stdint.h>

#include "proxycmd/delegate.h"
#include "proxycmd/dial/dial.h"

struct connect_request {
	const char *cache;
	const struct alias *alias;
	const char *origin;
	const struct delegate *delegate;
	const struct dial_setup *dial;
	uint64_t now; /* Unix time */
};

/*
 * SBX_OK with a descriptor, or with a *ret_status other than 0: then
 * sandbox-resolve has failed with that status and said why.
 */
enum sbx_err connect_open(const struct connect_request *request, int *ret_fd,
    int *ret_status, struct sbx_why *why) MUST_USE;

/*
 * ssh is gone, or will be once it has read what waits for it (certain): *why
 * says so.  If it was the shell's start-up files, ssh uses a relay from now
 * on.  That is written first and found out afterwards, since the next ssh may
 * be there in no time.
 */
enum sbx_err connect_lost(const struct connect_request *request, bool certain,
    struct sbx_why *why) MUST_USE;

#endif
