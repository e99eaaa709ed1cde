/*
 * What programs say to people.  For main functions and commands only:
 * libraries return errors (err.h) and never log.
 *
 * Every message is one line on standard error, "program: text", with
 * whatever is not printable ASCII escaped, however it got into the text.
 */
#ifndef SBX_LOG_H
#define SBX_LOG_H

#include "common/err.h"

/* argv[0] of main, once, before anything else. */
void log_init(const char *argv0);
/* "sandbox-cert"; never NULL. */
const char *log_program(void);
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Prints the particulars and returns the exit status of err. */
int log_failure(enum sbx_err err, const struct sbx_why *why);

#endif
