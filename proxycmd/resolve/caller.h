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

#include "common/buf.h"
#include "common/field.h"

struct caller {
	bool is_ssh;
	uint64_t began; /* deadline.h's clock: when it started, or we did */
	uint64_t connect_timeout; /* seconds, on its command line; 0: none */
	char config[FIELD_TEXT];  /* its -F; "": the usual files */
	char host[FIELD_TEXT];	  /* as it was typed; "": not known */
};

/* The nearest ssh among pid and a few of its parents. */
void caller_find(pid_t pid, struct caller *ret);
/* The same of its command line, words that end with NUL. */
void caller_read(struct view words, struct caller *ret);

#define CALLER_SAYS_MAX 65536

/*
 * What "ssh -G" says of that ssh's host, or of alias if there is none, and
 * false if it says nothing.  file NULL: by the configuration that it reads.
 */
bool caller_ask(const struct caller *caller, const char *alias,
    const char *file, struct buf *ret) MUST_USE;
/* The value of an option in that; false if it is not there. */
bool caller_value(
    const struct buf *said, const char *option, struct view *ret) MUST_USE;
/* A ConnectTimeout, "5", "1m"; 0 for none. */
uint64_t caller_seconds(const char *text);

#endif
