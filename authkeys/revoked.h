/* SPDX-License-Identifier: ISC */
/*
 * The revocation list that the settings name.  With one, nobody gets in by
 * what it revokes, and nobody at all gets in while there is no list to go
 * by.
 */
#ifndef SBX_AUTHKEYS_REVOKED_H
#define SBX_AUTHKEYS_REVOKED_H

#include "authkeys/settings.h"
#include "authkeys/state.h"
#include "certs/cert.h"

struct revoked_list {
	bool in_force; /* there is one, to go by now */
	uint8_t signer[KEY_ED25519_LEN];
	uint64_t issued_at;
};

/*
 * For a certificate that is good otherwise, signed by ca.  SBX_OK also if
 * the settings name no list.  Otherwise
 * SBX_REVOKED		by serial, user key or CA;
 * SBX_REVOKED_STALE	the list is too old, or comes from the future;
 * SBX_REVOKED_SIGNER	no trusted CA signed it;
 * SBX_UNTRUSTED	somebody else than root or owner can write it;
 * SBX_REVOKED_LIST	it is missing, unreadable or damaged.
 * why names the file.  owner may own it, FILE_NO_OWNER means root only.
 * ret_list is of use after SBX_OK and SBX_REVOKED.
 */
enum sbx_err
revoked_check(const struct gate_settings *settings, uid_t owner, uint64_t now,
    const struct cert *cert, const uint8_t ca[static KEY_ED25519_LEN],
    struct revoked_list *ret_list, struct sbx_why *why) MUST_USE;

/*
 * Nobody may put back a list that is still in date: the latest issue time of
 * each signer is kept.  SBX_REVOKED_OLDER if this list, which is in force,
 * has an earlier one.  That a later one could not be written, as on a full
 * disk, is only said in why.
 */
enum sbx_err revoked_newest(const struct state *state,
    const struct revoked_list *list, struct sbx_why *why) MUST_USE;

#endif
