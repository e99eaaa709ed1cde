/* SPDX-License-Identifier: ISC */
/*
 * The files of ssh_config(5), line by line in the order in which ssh(1) reads
 * them: what an Include names stands in its place.  Which lines hold is not
 * judged here.
 */
#ifndef SBX_SSH_CONFIG_H
#define SBX_SSH_CONFIG_H

#include <limits.h>

#include "common/buf.h"

#define SSH_CONFIG_SYSTEM "/etc/ssh/ssh_config"
#define SSH_CONFIG_DEPTH 16 /* of Includes, as ssh has it */
#define SSH_CONFIG_FILE_MAX (4 * 1024 * 1024)
#define SSH_CONFIG_FILES 1024 /* and then no further */

struct ssh_config_line {
	const char *file; /* as ssh names it */
	size_t number;	  /* from 1; 0: the file begins, and that is all */
	size_t depth;	  /* of the file: 0 for the first */
	char keyword[64]; /* in lower case */
	struct view rest; /* what follows it */
};

/* False: that is enough. */
typedef bool
ssh_config_reader(void *context, const struct ssh_config_line *line);

/*
 * Files that cannot be read are left out, as ssh does.  ~ and relative names
 * are of home, but for the system's file, where they are of its own folder.
 * False if the reader had enough.
 */
bool ssh_config_read(const char *file, const char *home,
    ssh_config_reader *reader, void *context);

/*
 * The next argument of rest, without its quotes, cut if it does not fit;
 * false at the end and at a comment.
 */
bool ssh_config_next(struct view *rest, size_t size, char *ret) MUST_USE;

#endif
