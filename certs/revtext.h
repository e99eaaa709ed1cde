/* SPDX-License-Identifier: ISC */
/*
 * A set of revocations as text, for people, scripts and version control.
 * One a line; empty lines and "#" comments count for nothing:
 *
 *	ca ssh-ed25519 BASE64		everything that this CA signed
 *	key SHA256:BASE64		a user's key, in any certificate
 *	key TYPE BASE64			the same
 *	issuer ssh-ed25519 BASE64	whose serials follow
 *	serial SERIAL			a certificate
 *	serial SERIAL-SERIAL		all from the first to the last
 *
 * A serial is "0x" and 1 to 16 hexadecimal digits, or exactly 16 digits as
 * in our logs.  A bare decimal number is refused: it might be hexadecimal.
 */
#ifndef SBX_CERTS_REVTEXT_H
#define SBX_CERTS_REVTEXT_H

#include "certs/revset.h"

/* SERIAL or SERIAL-SERIAL, or SBX_BAD_VALUE. */
enum sbx_err revtext_serials(
    struct view text, uint64_t *ret_first, uint64_t *ret_last) MUST_USE;

/*
 * Add what text says to set.  issuer is the CA of serials before the first
 * issuer line.  why names name, line and what is wrong.
 */
enum sbx_err revtext_parse(const char *name, struct view text,
    const uint8_t issuer[static KEY_ED25519_LEN], struct revset *set,
    struct sbx_why *why) MUST_USE;

/* A sorted set as such lines. */
void revtext_put(const struct revset *set, struct buf *ret);
/* The members "cas", "serials", "keys" of a JSON object, without braces. */
void revtext_put_json(const struct revset *set, struct buf *ret);

#endif
