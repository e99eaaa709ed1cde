/* SPDX-License-Identifier: ISC */
/*
 * sandbox-proxy prepare: what ssh runs at every start, so its warm path is
 * one file read and a look at what stands beside it and at the sandbox's
 * socket; no allocation, no lock, no network.  Never wakes a sandbox
 * (ssh -G runs it too).
 */
#ifndef SBX_PREPARE_H
#define SBX_PREPARE_H

#include <stdint.h>
#include <sys/types.h>

#include "proxycmd/delegate.h"
#include "proxycmd/session.h"
#include "proxycmd/shell.h"

struct prepare_request {
	const char *cache;
	const struct alias *alias;
	const char *origin;
	/* It must have been tried, if it is exposed: see shell.h. */
	const struct shell *shell;
	/* Who runs us, which need not ask twice (asked.h); 0: whoever. */
	pid_t ssh;
	uint64_t now; /* Unix time */
	const struct delegate *delegate;
};

/*
 * SBX_OK with *ret, what the cache knows then, and *ret_status 0; or with the
 * exit status of sandbox-resolve, which failed to get credentials.
 */
enum sbx_err prepare_run(const struct prepare_request *request,
    struct session *ret, int *ret_status, struct sbx_why *why) MUST_USE;

#endif
