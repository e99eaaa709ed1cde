/* SPDX-License-Identifier: ISC */
/*
 * A set (revset.h) as a signed revocation list, and back.  To ask a list in
 * place: revocations.h.
 */
#ifndef SBX_CERTS_REVLIST_H
#define SBX_CERTS_REVLIST_H

#include "certs/ca_key.h"
#include "certs/revset.h"

/* Bytes of a list that we make. */
#define REVLIST_MAX (2 * REVSET_BYTES_MAX)

/*
 * Sort the set and append the signed list to ret.  SBX_REVOKED_SIGNER if it
 * revokes the CA that is to sign it, SBX_BAD_VALUE unless issued_at <
 * next_update, SBX_TOO_LARGE for more than a list can hold.
 */
enum sbx_err
revlist_sign(struct revset *set, const struct ca_key *ca, uint64_t issued_at,
    uint64_t next_update, struct buf *ret, struct sbx_why *why) MUST_USE;

/*
 * Read the list at fd whole, add what it revokes to set, and check every
 * byte of it: signature, hashes, order.  ret_head is its head, as
 * revocations_open() gives it.
 */
enum sbx_err revlist_load(int fd, struct revset *set,
    struct revocations *ret_head, struct sbx_why *why) MUST_USE;

#endif
