/* SPDX-License-Identifier: ISC */
/*
 * The shell through which ssh runs us, as $SHELL -c "exec ...".  What its
 * start-up files print comes out where ssh waits for a descriptor, and one
 * byte of it ends that connection; what they take of time is added to it.
 */
#ifndef SBX_SHELL_H
#define SBX_SHELL_H

#include "common/paths.h"
#include "proxycmd/shell_run.h"

#define SHELL_TEXT 64

/* What decides which files it reads; NULL for what is not set. */
struct shell {
	const char *path;     /* SHELL, /bin/sh if that is not set */
	const char *level;    /* SHLVL as ssh has it */
	const char *bash_env; /* BASH_ENV */
};

struct shell_finding {
	enum shell_verdict verdict; /* with ProxyUseFdpass yes */
	bool relay;		    /* with "no" ssh gets in */
	unsigned ms;
	char file[PATHS_MAX];  /* which start-up file it is; "" if unknown */
	char text[SHELL_TEXT]; /* what it prints first */
};

/* That of our environment. */
void shell_find(struct shell *ret);
/* May it read files before it runs us?  Costs no system call. */
bool shell_is_exposed(const struct shell *shell) MUST_USE;
/*
 * Try it, which takes milliseconds, or SHELL_PATIENCE for each of what does
 * not come to an end.  A shell that cannot be run is called quiet.
 */
void shell_judge(
    const struct shell *shell, const char *home, struct shell_finding *ret);
/* "FILE prints 'TEXT'", "FILE ends SHELL", ...; not for SHELL_QUIET. */
#define SHELL_SAYS (PATHS_MAX + SHELL_TEXT + 128)
void shell_put(const struct shell *shell, const struct shell_finding *finding,
    char ret[static SHELL_SAYS]);

#endif
