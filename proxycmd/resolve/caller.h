/* SPDX-License-Identifier: ISC */
/*
 * The ssh that waits for us, if it is one: since when, and how long it is to
 * wait.  It does not tell its plug-ins, so that is read from /proc.
 */
#ifndef SBX_RESOLVE_CALLER_H
#define SBX_RESOLVE_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/wire.h"

struct caller {
	bool is_ssh;
	uint64_t began; /* deadline.h's clock: when it started, or we did */
	uint64_t connect_timeout; /* seconds, on its command line; 0: none */
};

/* The nearest ssh among pid and a few of its parents. */
void caller_find(pid_t pid, struct caller *ret);
/*
 * ConnectTimeout among the options of ssh's command line, words that end with
 * NUL; the first one counts.  0 if there is none.
 */
uint64_t caller_connect_timeout(struct view words);

#endif
