/* SPDX-License-Identifier: ISC */
/*
 * What a program prints, within a deadline.
 */
#ifndef SBX_CAPTURE_H
#define SBX_CAPTURE_H

#include "common/buf.h"
#include "proxycmd/dial/deadline.h"

#define CAPTURE_NO_PROGRAM 126 /* as shells say it */

/*
 * Run argv (NULL-terminated; the first is looked for in PATH) with nothing to
 * read; what it writes to standard output and standard error is appended to
 * ret, as much as fits.  *ret_status is its exit status, 128 and more for a
 * signal; CAPTURE_NO_PROGRAM if it cannot be executed.  SBX_TIMEOUT: it was
 * ended.
 */
enum sbx_err capture_run(const char *const argv[], struct deadline deadline,
    struct buf *ret, int *ret_status, struct sbx_why *why) MUST_USE;

#endif
