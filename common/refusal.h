/* SPDX-License-Identifier: ISC */
/*
 * The login gate's last refusal, on its way from the gate to whoever looks
 * after it: a file of one line, always of the same length, so that it is
 * written over in one go:
 *
 *	UNIXTIME REASON blanks NEWLINE
 *
 * REASON is the name of an error (err.h).  Readers take it for data out of a
 * sandbox: it may say any time and any reason, and nothing else.
 */
#ifndef SBX_REFUSAL_H
#define SBX_REFUSAL_H

#include <stdint.h>

#include "common/buf.h"

#define REFUSAL_LEN 64 /* bytes of the line, with its newline */

struct refusal {
	enum sbx_err err; /* SBX_OK: there was none */
	uint64_t when;	  /* Unix time */
};

void refusal_put(const struct refusal *refusal, struct buf *ret);
/* SBX_BAD_VALUE for anything else than such a line. */
enum sbx_err refusal_parse(struct view line, struct refusal *ret) MUST_USE;

#endif
