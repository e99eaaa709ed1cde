/* SPDX-License-Identifier: ISC */
/*
 * A broker that let us wait in vain: CACHE/.silent-SUFFIX, until it answers.
 */
#ifndef SBX_RESOLVE_SILENCE_H
#define SBX_RESOLVE_SILENCE_H

#include <stdint.h>

#include "net/settings.h"

struct silence {
	enum sbx_err err; /* SBX_OK: it has answered, as far as is known */
	uint64_t when;	  /* milliseconds since 1970 */
	char why[SBX_WHY_MAX];
};

/* Of the broker for suffix, if it is the one at place. */
void silence_find(
    int cache_fd, const char *suffix, const char *place, struct silence *ret);
/* It failed with err, which says why; SBX_OK: it has answered. */
void silence_note(int cache_fd, const char *suffix, const char *place,
    enum sbx_err err, const struct sbx_why *why);

#endif
