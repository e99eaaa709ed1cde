/* SPDX-License-Identifier: ISC */
/*
 * One start of a shell, with what ssh would give it, to see what comes out
 * before the program that it was to become.
 */
#ifndef SBX_SHELL_RUN_H
#define SBX_SHELL_RUN_H

#include <stdbool.h>

#include "common/buf.h"

#define SHELL_PATIENCE 1000   /* milliseconds */
#define SHELL_SAID_MAX 131072 /* bytes that are looked at */

/* For its command line: it becomes a program that says so. */
#define SHELL_MARK "sandbox-ssh-was-reached"
#define SHELL_EXEC "exec /bin/sh -c 'echo " SHELL_MARK "'"

enum shell_verdict {
	SHELL_QUIET,
	SHELL_LOUD,  /* something was printed before */
	SHELL_ENDS,  /* it ended without running anything */
	SHELL_STUCK, /* it had run nothing when SHELL_PATIENCE was over */
};

struct shell_run {
	const char *argv[8];  /* ends with NULL; the first is its path */
	const char *level;    /* SHLVL, NULL: unset */
	const char *bash_env; /* BASH_ENV, NULL: unset */
	bool pipes;	      /* as with ProxyUseFdpass no */
};

/* said gets what came before; *ret_ms is how long it took. */
enum shell_verdict shell_run(
    const struct shell_run *run, struct buf *said, unsigned *ret_ms) MUST_USE;

#endif
