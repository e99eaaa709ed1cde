/* SPDX-License-Identifier: ISC */
/*
 * sandbox-proxy doctor: everything that must be so for ssh to get into a
 * sandbox, looked at one by one, with the cure for what is not.
 */
#ifndef SBX_DOCTOR_H
#define SBX_DOCTOR_H

#include <stdint.h>

#include "common/paths.h"
#include "proxycmd/delegate.h"
#include "proxycmd/session.h"

#define DOCTOR_REPORT_MAX 65536

struct doctor_request {
	const struct paths *paths;
	const char *cache;
	const struct alias *alias; /* NULL: nothing about a sandbox */
	const char *host;	   /* that, or what the person calls it in
				      ssh_config */
	const char *probe;	   /* without one: a name that ssh_config has in
				      mind and that prepare refuses */
	const struct delegate *delegate;
	const char *ssh_config; /* "" for the usual ones */
	const char *snippet;	/* what setup has included */
	uint64_t now;		/* Unix time */
	bool json;
};

/*
 * The name that ssh makes of host with that configuration, by HostName; false
 * if it cannot tell.
 */
bool doctor_host_name(
    const char *ssh_config, const char *host, size_t size, char *ret) MUST_USE;

/*
 * A line "ok|warn|fail  WHAT: TEXT: CURE" for every check, or a JSON array of
 * objects.  *ret_sound: nothing failed.  It starts no sandbox that it knows to
 * be stopped.
 */
enum sbx_err doctor_run(const struct doctor_request *request,
    struct buf *ret_report, bool *ret_sound, struct sbx_why *why) MUST_USE;

#endif
