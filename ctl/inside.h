/* SPDX-License-Identifier: ISC */
/*
 * What a shell in a sandbox is told, so that a command runs in the workspace
 * with its words as they were given.
 */
#ifndef SBX_CTL_INSIDE_H
#define SBX_CTL_INSIDE_H

#include "common/buf.h"

#define INSIDE_MAX (2 * 1024 * 1024) /* about what the kernel takes */
#define INSIDE_MARK_LEN 64

/* Run it in the workspace, or in the home folder where there is none. */
void inside_exec(char *const *command, struct buf *ret);
/*
 * The same in a session of its own that can be signalled: mark
 * (inside_new_mark) is a file that says which.  Its status is 128 + n when the
 * command dies of signal n.
 */
void inside_run(const char *mark, char *const *command, struct buf *ret);
/* Send this signal ("TERM") to all of that, once it has begun. */
void inside_signal(const char *mark, const char *signal, struct buf *ret);
void inside_new_mark(char ret[static INSIDE_MARK_LEN]);
/* Unpack the tar on standard input into the workspace. */
void inside_unpack(struct buf *ret);
/* Print where the workspace is, and the end of the line. */
void inside_workspace(struct buf *ret);

#endif
