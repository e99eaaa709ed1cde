/*
 * The revocation list that the settings name.  With one, nobody gets in by
 * what it revokes, and nobody at all gets in while there is no list to go
 * by.
 */
#ifndef SBX_AUTHKEYS_REVOKED_H
#define SBX_AUTHKEYS_REVOKED_H

#include "authkeys/settings.h"
#include "certs/cert.h"

/*
 * For a certificate that is good otherwise, signed by ca.  SBX_OK also if
 * the settings name no list.  Otherwise
 * SBX_REVOKED		by serial, user key or CA;
 * SBX_REVOKED_STALE	the list is too old, or comes from the future;
 * SBX_REVOKED_SIGNER	no trusted CA signed it;
 * SBX_UNTRUSTED	somebody else than root or owner can write it;
 * SBX_REVOKED_LIST	it is missing, unreadable or damaged.
 * why names the file.  owner is for tests, FILE_NO_OWNER means root only.
 */
enum sbx_err revoked_check(const struct gate_settings *settings, uid_t owner,
    uint64_t now, const struct cert *cert,
    const uint8_t ca[static KEY_ED25519_LEN], struct sbx_why *why) MUST_USE;

#endif
