/* SPDX-License-Identifier: ISC */
/*
 * sandbox-resolve, run for a verb: the cache is its to write.
 */
#ifndef SBX_CTL_RESOLVE_H
#define SBX_CTL_RESOLVE_H

#include "common/name.h"
#include "common/paths.h"

#define RESOLVE_WORDS 12

/* Options of sandbox-resolve's, besides those that sandboxctl was given. */
struct resolve_options {
	const char *cache; /* NULL: the usual */
	int count;
	const char *word[RESOLVE_WORDS];
};

/*
 * Run it.  SBX_OK with *ret_status not 0: it ended with that status and has
 * said why.
 */
enum sbx_err resolve_run(const struct paths *paths,
    const struct resolve_options *options, const char *verb, const char *name,
    int *ret_status, struct sbx_why *why) MUST_USE;
/*
 * Credentials of that name, of this life (0: what is configured, and only if
 * there are none).
 */
enum sbx_err resolve_prepare(const struct paths *paths, const char *name,
    uint64_t ttl, int *ret_status, struct sbx_why *why) MUST_USE;
/*
 * What the cache knows under that name is no longer true: the sandbox is gone,
 * or (there) it is a new one, whose name ssh shall complete.  As well as can
 * be done: the verb has done its work whether or not this works.
 */
void
resolve_note(const struct paths *paths, const struct alias *alias, bool there);

#endif
