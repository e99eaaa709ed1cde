/* SPDX-License-Identifier: ISC */
/*
 * A signed list of what no longer counts: serials of certificates, user
 * keys, CAs.  doc/revocations.md has its layout.  It is asked in place, over
 * a descriptor: the head is small and signed, and of the tables behind it
 * only the few blocks are read that matter.
 *
 * Whoever writes the file must replace it (rename), never change it: what is
 * verified at one moment is not read again at another, but a file that
 * changes in between is taken for a damaged one.
 */
#ifndef SBX_CERTS_REVOCATIONS_H
#define SBX_CERTS_REVOCATIONS_H

#include "certs/check.h"
#include "certs/spans.h"

#define REVOCATIONS_MAGIC "sandbox-revoked" /* its NUL belongs to it */
#define REVOCATIONS_VERSION 1
#define REVOCATIONS_CAS_MAX 64 /* CAs revoked, and CAs with serials */
#define REVOCATIONS_SERIAL_LEN 8
#define REVOCATIONS_KEY_LEN crypto_hash_sha256_BYTES
#define REVOCATIONS_HEAD_MAX 8192 /* bytes, without the signature */

struct revocations {
	int fd; /* the caller's */
	uint8_t signer[KEY_ED25519_LEN];
	uint64_t issued_at; /* Unix time; issued_at < next_update */
	uint64_t next_update;
	size_t ca_count; /* CAs that are revoked */
	uint8_t ca[REVOCATIONS_CAS_MAX][KEY_ED25519_LEN];
	size_t table_count; /* CAs of which serials are revoked */
	struct revocations_table {
		uint8_t ca[KEY_ED25519_LEN];
		struct spans serials;
	} table[REVOCATIONS_CAS_MAX];
	struct spans keys;   /* SHA-256 of plain key blobs */
	uint64_t head_size;  /* bytes before the first table */
	uint64_t whole_size; /* bytes of the file */
};

/*
 * Read the head and verify its signature by the CA that it names; whether
 * that one is trusted is for revocations_judge() to say.  fd must be a
 * regular file and stay open as long as ret is used.  why says what is wrong
 * without naming the file.
 */
enum sbx_err
revocations_open(int fd, struct revocations *ret, struct sbx_why *why) MUST_USE;

struct revocations_policy {
	const struct ca_set *trusted;
	uint64_t now;	     /* Unix time */
	uint64_t clock_skew; /* seconds by which issued_at may lie ahead */
	uint64_t max_age;    /* seconds since issued_at at most; 0: any */
};

/*
 * May we go by this list now?  SBX_REVOKED_SIGNER if its signer is not
 * trusted or is revoked by the list itself, SBX_REVOKED_STALE if it was
 * issued in the future, is older than max_age, or its next update is due.
 */
enum sbx_err revocations_judge(const struct revocations *list,
    const struct revocations_policy *policy, struct sbx_why *why) MUST_USE;

/*
 * Does it revoke this CA, the serial of this CA, or this user's key (a plain
 * key blob)?  SBX_OK if not, SBX_REVOKED with why if so; SBX_TRUNCATED,
 * SBX_BAD_VALUE or SBX_IO when the list cannot tell.
 */
enum sbx_err revocations_check(const struct revocations *list,
    const uint8_t ca[static KEY_ED25519_LEN], uint64_t serial,
    struct view user_key, struct sbx_why *why) MUST_USE;

#endif
