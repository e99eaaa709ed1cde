/* SPDX-License-Identifier: ISC */
/*
 * CACHE/.no-fdpass: through this account's shell (shell.h) ssh cannot be
 * handed a descriptor.  hosts.conf then says "ProxyUseFdpass no" for all its
 * sandboxes, and connect stays between ssh and them.
 */
#ifndef SBX_FDPASS_H
#define SBX_FDPASS_H

#include <stdint.h>

#include "proxycmd/shell.h"

/* With which shell it was seen, and what the cause is. */
struct fdpass_note {
	char shell[PATHS_MAX];
	char level[16]; /* "": not set, nor is the next */
	char bash_env[PATHS_MAX];
	char cause[SHELL_SAYS]; /* one line */
};

/* Is there one?  ret may be NULL. */
bool fdpass_is_off(const char *cache, struct fdpass_note *ret);
/*
 * Write it, and hosts.conf.  The cache must be there; now is Unix time.  *why
 * gets what a person is to know of it.
 */
enum sbx_err fdpass_switch_off(const char *cache, const struct shell *shell,
    const struct shell_finding *finding, uint64_t now,
    struct sbx_why *why) MUST_USE;
/* Take it away, and write hosts.conf. */
enum sbx_err
fdpass_switch_on(const char *cache, uint64_t now, struct sbx_why *why) MUST_USE;

#endif
