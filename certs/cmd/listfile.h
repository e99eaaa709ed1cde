/* SPDX-License-Identifier: ISC */
/*
 * The file that a revocation list is in, as the commands change it: under a
 * lock, so that two of them lose nothing, and whole or not at all.
 */
#ifndef SBX_CERTS_LISTFILE_H
#define SBX_CERTS_LISTFILE_H

#include "certs/revlist.h"

#define LISTFILE_LIFE "24h" /* until the next update, unless told otherwise */
#define LISTFILE_LIFE_MAX (366 * 24 * 3600)

/* Lock path (by path.lock beside it) until *ret_fd is closed. */
enum sbx_err
listfile_lock(const char *path, int *ret_fd, struct sbx_why *why) MUST_USE;
/*
 * Add what the list at path revokes to set.  SBX_NOT_FOUND if there is none;
 * SBX_REVOKED_SIGNER unless signer signed it; SBX_REVOKED_STALE if it has
 * ended: what was revoked since may be missing.
 */
enum sbx_err
listfile_load(const char *path, const uint8_t signer[static KEY_ED25519_LEN],
    struct revset *set, struct sbx_why *why) MUST_USE;
/*
 * Sign the set as of now, and of later than the list that is there, for life
 * seconds; replace the file.  It is on disk, name and all, after SBX_OK.
 * SBX_STATE if that list is from the future.
 */
enum sbx_err listfile_write(const char *path, struct revset *set,
    const struct ca_key *ca, uint64_t life, struct sbx_why *why) MUST_USE;

#endif
