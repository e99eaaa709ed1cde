/* SPDX-License-Identifier: ISC */
/*
 * Forking a child whose standard error we keep for the error message, and
 * with whom a few bytes are exchanged while it gets ready.
 */
#ifndef SBX_LOCAL_CHILD_H
#define SBX_LOCAL_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct child {
	pid_t pid;
	int sync; /* our end of a stream to it */
	int err;  /* what it writes to its standard error */
	bool detached;
};

#define CHILD_INIT ((struct child){ -1, -1, -1, false })

/*
 * Runs in the child, in a session of its own when detached: standard input
 * and output are /dev/null, no signal is blocked or ignored, and every other
 * descriptor closes on exec.  Returns the exit status.
 */
typedef int child_body(void *arg, int sync);

enum child_kind {
	CHILD_ATTACHED, /* ends before child_end */
	CHILD_DETACHED, /* outlives us; no child of ours */
};

enum sbx_err child_start(child_body *body, void *arg, enum child_kind kind,
    struct child *ret, struct sbx_why *why) MUST_USE;
/* Closes our descriptors; a child that is still attached is killed. */
void child_end(struct child *child);
#define cleanup_child __attribute__((cleanup(child_end)))

/* One byte to it, or from it (false: it ended, or timeout_ms passed). */
bool child_tell(const struct child *child, uint8_t byte) MUST_USE;
bool child_hear(const struct child *child, int timeout_ms) MUST_USE;

/* Wait for an attached child; its exit status, -1 if a signal ended it. */
int child_wait(struct child *child);
/* The last line that it wrote, read until it has closed its end. */
void child_last_line(const struct child *child, char *ret, size_t size);

/*
 * Run a program to its end.  SBX_UNAVAILABLE when it cannot be executed,
 * SBX_REFUSED when it fails; why is its last line.
 */
enum sbx_err child_run(char *const argv[], struct sbx_why *why) MUST_USE;

/* In a child: complain, with errno's text, and return an exit status. */
int child_fail(const char *what);
#define CHILD_EXEC_FAILED 127

#endif
