/* SPDX-License-Identifier: ISC */
/*
 * A command in a sandbox, attended until it ends: signals that come to us go
 * on to it.
 */
#ifndef SBX_CTL_ATTEND_H
#define SBX_CTL_ATTEND_H

#include "net/http.h"

struct attend {
	const char *config; /* for ssh -F */
	const char *name;   /* what ssh calls the sandbox */
	char *const *command;
	bool terminal;	    /* it gets one */
	bool output_to_err; /* standard output is for something else */
	/* Says that the sandbox is there; NULL: it is in any case. */
	struct http_stream *stream;
};

/* An ssh that only runs what its last word, to be filled in, says. */
#define ATTEND_SSH_WORDS 12
void attend_put_ssh(
    const struct attend *attend, const char *ret[static ATTEND_SSH_WORDS]);

/*
 * From here on signals wait for the command; whoever runs in the foreground of
 * a terminal beside us has them.
 */
void attend_begin(void);
/* *ret_status: what ssh, and so the command, ended with.  After attend_begin.
 */
enum sbx_err attend_run(
    const struct attend *attend, int *ret_status, struct sbx_why *why) MUST_USE;

#endif
