/* SPDX-License-Identifier: ISC */
/*
 * STATE/sandboxes/.ID.tmp: a sandbox that is being made or removed, locked
 * while somebody works on it; unlocked it is what a call left that was cut
 * short.
 */
#ifndef SBX_LOCAL_TEMPORARY_H
#define SBX_LOCAL_TEMPORARY_H

#include "broker/providers/local/box.h"

#define TEMPORARY_LEN (NAME_ID_MAX + 8)

void temporary_name(const char *id, char ret[static TEMPORARY_LEN]);
/* Another folder of a sandbox may be locked, too.  SBX_STATE: somebody has. */
enum sbx_err temporary_lock(const struct shelf *shelf, const char *name,
    int *ret_dir, struct sbx_why *why) MUST_USE;
/*
 * With its files, its slot goes, too.  dir is locked; what is left after an
 * error can be removed later.
 */
enum sbx_err temporary_remove(const struct shelf *shelf, const char *id,
    int dir, struct sbx_why *why) MUST_USE;
/* The folders in it whose owner is an account of the sandbox's. */
enum sbx_err temporary_empty(int dir, struct sbx_why *why) MUST_USE;

/*
 * The lock under which names of sandboxes are taken: held for a few calls,
 * never while something is removed.
 */
enum sbx_err
shelf_lock(const struct shelf *shelf, int *ret, struct sbx_why *why) MUST_USE;

/*
 * Remove all that were left, in no order, and give back the slots of
 * sandboxes that are no more.  Others may work meanwhile.  SBX_IO: some
 * resist.
 */
enum sbx_err temporary_sweep(
    const struct provider_context *context, struct sbx_why *why) MUST_USE;

#endif
