/* SPDX-License-Identifier: ISC */
/*
 * A number in state_dir that only ever rises, and is on disk before anything
 * rests on it: the latest time that was seen, say.
 */
#ifndef SBX_AUTHKEYS_MARK_H
#define SBX_AUTHKEYS_MARK_H

#include "authkeys/state.h"

#define MARK_NAME_MAX 80 /* bytes of a name, with its NUL */

/* 0 before the first was written.  SBX_IO for a damaged one, naming it. */
enum sbx_err mark_read(const struct state *state, const char *name,
    uint64_t *ret, struct sbx_why *why) MUST_USE;
/* To value, if that is higher; the caller holds the lock. */
enum sbx_err mark_raise(const struct state *state, const char *name,
    uint64_t value, struct sbx_why *why) MUST_USE;

#endif
