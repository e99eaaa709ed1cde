/* SPDX-License-Identifier: ISC */
/*
 * What programs say to people.  For main functions and commands only:
 * libraries return errors (err.h) and never log.
 *
 * Every message is one line on standard error, "program: text", with
 * whatever is not printable ASCII escaped, however it got into the text.
 */
#ifndef SBX_LOG_H
#define SBX_LOG_H

#include <stdint.h>

#include "common/err.h"

/* argv[0] of main, once, before anything else. */
void log_init(const char *argv0);
/* "sandbox-cert"; never NULL. */
const char *log_program(void);
/*
 * For a daemon's log: from now on each line begins with the time that now
 * says (Unix seconds), as 2026-11-21T20:01:02Z.  NULL: without again.
 */
void log_with_time(uint64_t (*now)(void));
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Prints the particulars and returns the exit status of err. */
int log_failure(enum sbx_err err, const struct sbx_why *why);

#endif
