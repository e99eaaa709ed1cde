/* SPDX-License-Identifier: ISC */
/*
 * Another AuthorizedKeysCommand behind ours, for plain keys:
 *
 *	then = /usr/bin/sss_ssh_authorizedkeys %u
 *
 * The words are split at blanks; %u, %t, %k and %% are replaced within a
 * word, so no text from outside can become two words, and no shell sees it.
 * It gets what sshd would give it: hardly any environment, nothing on
 * standard input, standard error thrown away.
 */
#ifndef SBX_AUTHKEYS_CHAIN_H
#define SBX_AUTHKEYS_CHAIN_H

#include <stdint.h>

#include "common/buf.h"

#define CHAIN_WORDS_MAX 32
#define CHAIN_OUTPUT_MAX (64 * 1024)
#define CHAIN_TIMEOUT_MAX 60 /* seconds */

/* What stands for %u, %t and %k. */
struct chain_values {
	const char *user;
	const char *type;
	const char *key;
};

/*
 * Is it such a command?  SBX_CONFIG if it is too long, does not start with
 * an absolute path, or has another token.
 */
enum sbx_err chain_check(const char *command, struct sbx_why *why) MUST_USE;

/*
 * Run it; its output goes to ret if it ends with 0 in time.  Only root may
 * be able to change the program (safepath.h).  Otherwise SBX_UNTRUSTED,
 * SBX_IO, SBX_THEN, SBX_TIMEOUT or SBX_TOO_LARGE, and nothing of its process
 * group is left running.  environ is the caller's, of which little is passed
 * on.
 */
enum sbx_err chain_run(const char *command, const struct chain_values *values,
    uint64_t timeout, char *const *environ, struct buf *ret,
    struct sbx_why *why) MUST_USE;

#endif
