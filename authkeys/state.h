/* SPDX-License-Identifier: ISC */
/*
 * The gate's memory: the folder state_dir.  It belongs to the account that
 * the gate runs as, and nobody else can even look into it; whatever in it is
 * not ours, or no plain file, is refused by name.
 *
 *	floor			the latest time that was seen (floor.h)
 *	list-SIGNER		the latest issue time of a revocation list
 *				(revoked.h)
 *	claims/CA-SERIAL	who used a certificate (ledger.h)
 *	expiry/HOUR/		the same claims by the hour they end in
 *
 * The lock is flock(2) on the folder itself.
 */
#ifndef SBX_AUTHKEYS_STATE_H
#define SBX_AUTHKEYS_STATE_H

#include "common/file.h"

#define STATE_MODE 0700

struct state {
	int dir;
	const char *path; /* the caller's string */
	uid_t owner;
};

#define STATE_INIT ((struct state){ .dir = -1 })

/*
 * path must belong to owner, with mode 0700, and have safe folders above it
 * (safepath.h).  SBX_UNTRUSTED or SBX_IO, why naming what is at fault.
 */
enum sbx_err state_open(const char *path, uid_t owner, struct state *ret,
    struct sbx_why *why) MUST_USE;
void state_close(struct state *state);
#define cleanup_state __attribute__((cleanup(state_close)))

/* SBX_IO of errno, with the folder and the name in it. */
enum sbx_err state_fail(const struct state *state, const char *verb,
    const char *name, struct sbx_why *why) MUST_USE;

/*
 * Open the folder dir/name, made if missing; name also stands in messages.
 */
enum sbx_err state_open_folder(const struct state *state, int dir,
    const char *name, int *ret, struct sbx_why *why) MUST_USE;
/*
 * Append the plain file dir/name to ret.  SBX_NOT_FOUND, and why untouched, if
 * there is none.
 */
enum sbx_err state_read(const struct state *state, int dir, const char *name,
    struct buf *ret, struct sbx_why *why) MUST_USE;
/* Make dir/name, which must not exist; on disk when it returns. */
enum sbx_err state_create(const struct state *state, int dir, const char *name,
    struct view bytes, struct sbx_why *why) MUST_USE;
/* What is linked into the folder is on disk. */
enum sbx_err state_sync(const struct state *state, int dir, const char *name,
    struct sbx_why *why) MUST_USE;

/* wait false: do without at once if another run has it. */
bool state_lock(const struct state *state, bool wait) MUST_USE;
void state_unlock(const struct state *state);

#endif
