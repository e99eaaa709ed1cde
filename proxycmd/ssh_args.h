/* SPDX-License-Identifier: ISC */
/*
 * The options on the command line of an ssh(1), as /proc has it: words that
 * end with NUL.  It does not tell its plug-ins what it was asked for.
 */
#ifndef SBX_SSH_ARGS_H
#define SBX_SSH_ARGS_H

#include <sys/types.h>

#include "common/buf.h"

#define SSH_ARGS_MAX 65536

struct ssh_args {
	struct view rest;    /* words to come */
	struct view letters; /* of the word at hand */
	unsigned operands;   /* words that were none: program, host */
	struct view host;    /* that word, once it was met */
};

/* That process's into buf (SSH_ARGS_MAX), which keeps them; none on failure. */
struct ssh_args ssh_args_of(pid_t ssh, struct buf *buf);
#define SSH_ARGS(words) ((struct ssh_args){ .rest = (words) })

/*
 * The next option, and its value or an empty one; false after the last.  They
 * may follow the host, but not "--" and not the command.
 */
bool ssh_args_next(
    struct ssh_args *args, char *ret_letter, struct view *ret_value) MUST_USE;
/* The value in "keyword=value" of an -o, cut if it does not fit. */
bool ssh_args_option(
    struct view option, const char *keyword, size_t size, char *ret) MUST_USE;

#endif
