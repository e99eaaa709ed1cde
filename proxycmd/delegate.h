/* SPDX-License-Identifier: ISC */
/*
 * Work for sandbox-resolve, the program that may load libcurl: credentials
 * (prepare) and starting a sandbox (wake).  It reports failures itself, in
 * one line, and ends with a sysexits status.
 */
#ifndef SBX_DELEGATE_H
#define SBX_DELEGATE_H

#include "common/name.h"

struct delegate {
	const char *program; /* absolute path of sandbox-resolve */
	/* passed on as --cache, --config, --suffix; "" for the default */
	const char *cache;
	const char *config;
	const char *suffix;
};

#define DELEGATE_ARGS 12
/* Set: prepare, run by an ssh that is only asked (-G), fails at once. */
#define DELEGATE_PROBE "SANDBOX_SSH_PROBE"

/* Its command line, ending with NULL; verb alone if there is no name. */
struct delegate_args {
	const char *v[DELEGATE_ARGS + 1];
	size_t count;
};

struct delegate_args delegate_build(const struct delegate *delegate, bool quiet,
    const char *verb, const char *name);

/*
 * Run it and wait: nothing to read, its standard output goes to our standard
 * error, and it ends when we do.  quiet: with --quiet.  alias may be NULL.
 * SBX_OK with its exit status, whatever that is.
 */
enum sbx_err
delegate_run(const struct delegate *delegate, bool quiet, const char *verb,
    const struct alias *alias, int *ret_status, struct sbx_why *why) MUST_USE;

#endif
