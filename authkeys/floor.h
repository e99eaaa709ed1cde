/* SPDX-License-Identifier: ISC */
/*
 * The clock may not go back: the latest time that was seen is kept on disk,
 * and certificates are judged at that time when the clock says less.
 *
 * The floor only ever rises; nothing may be forgotten (a claim, say) because
 * of a time later than the one on disk.
 */
#ifndef SBX_AUTHKEYS_FLOOR_H
#define SBX_AUTHKEYS_FLOOR_H

#include "authkeys/state.h"

/* Unless more depends on it, it is written when it lags this far behind. */
#define FLOOR_STEP 60

/* 0 before the first was written.  SBX_IO for a damaged one, naming it. */
enum sbx_err floor_read(
    const struct state *state, uint64_t *ret, struct sbx_why *why) MUST_USE;
/* To now, if that is higher, and on disk; the caller holds the lock. */
enum sbx_err floor_raise(
    const struct state *state, uint64_t now, struct sbx_why *why) MUST_USE;

#endif
