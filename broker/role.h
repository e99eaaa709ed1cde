/* SPDX-License-Identifier: ISC */
/*
 * The roles that the processes below sandboxd's first have, and how each is
 * started.
 */
#ifndef SBX_BROKER_ROLE_H
#define SBX_BROKER_ROLE_H

#include "broker/settings.h"

/* A process for each of providers[] from ROLE_PROVIDER on. */
enum role {
	ROLE_SIGNER,
	ROLE_HTTP,
	ROLE_PROVIDER,
	ROLES = ROLE_PROVIDER + PROVIDERS_MAX
};

/* What they inherit; descriptors are -1 where there is none. */
struct role_kit {
	const struct broker_settings *settings;
	int state_lock;
	int listen_fd;
	int signer_fd; /* callers' ends, for http */
	int provider_fd[PROVIDERS_MAX];
	int log_fd; /* becomes standard error */
	char ca_line[PROVIDER_LINE];
};

/* Is there work for it?  Not for a platform without a key. */
bool role_is_wanted(const struct role_kit *kit, enum role role) MUST_USE;
/* "signer" */
const char *role_name(enum role role) MUST_USE;
/*
 * Fork one and wait until it has said how its start went: its error and why,
 * or what it has to tell in ret_text (the signer: the CA's line).  serve_fd is
 * a helper's end, -1 for http.  *ret_pid is set whenever it was forked, also
 * on failure.
 */
enum sbx_err role_start(const struct role_kit *kit, enum role role,
    int serve_fd, pid_t *ret_pid, char ret_text[static PROVIDER_LINE],
    struct sbx_why *why) MUST_USE;

#endif
