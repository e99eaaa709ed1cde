/* SPDX-License-Identifier: ISC */
/* The lines of subuid(5) and subgid(5): NAME:START:COUNT. */
#ifndef SBX_SUBID_H
#define SBX_SUBID_H

#include <stdint.h>

#include "common/buf.h"

#define SUBID_FILE_MAX (16 * 1024 * 1024)

struct subid {
	struct view name; /* of an account, or its uid in digits */
	uint64_t start;
	uint64_t count; /* its end is below 2^32 */
};

/*
 * Walk lines: *text shrinks.  False at the end.  Malformed lines are skipped,
 * as newuidmap(1) does, and comments.
 */
bool subid_next(struct view *text, struct subid *ret) MUST_USE;
/* The same for passwd(5) and group(5), NAME:PASSWORD:ID...: ranges of one. */
bool subid_next_account(struct view *text, struct subid *ret) MUST_USE;

#endif
