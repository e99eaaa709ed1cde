/* SPDX-License-Identifier: ISC */
/*
 * May this certificate enter that sandbox now?  A pure function: time, trust
 * and policy are parameters, nothing is read or kept.  sandbox-authkeys is
 * built on it, sandbox-cert verify runs it, and the client judges with it
 * what a broker answered.
 */
#ifndef SBX_CERTS_CHECK_H
#define SBX_CERTS_CHECK_H

#include "certs/cert.h"
#include "certs/permit.h"
#include "common/limits.h"

#define CHECK_TTL_MAX LIMITS_TTL_MAX
#define CHECK_SKEW_DEFAULT 60
#define CHECK_CA_MAX 16

/* The CA keys that are trusted; several while one is being replaced. */
struct ca_set {
	size_t count;
	uint8_t key[CHECK_CA_MAX][KEY_ED25519_LEN];
};

/*
 * A file of CA public keys, one line each ("ssh-ed25519 BASE64 [COMMENT]"),
 * "#" comments and empty lines allowed.  No key at all, any other key type
 * or more than CHECK_CA_MAX: SBX_CONFIG, why naming name and line.
 */
enum sbx_err ca_set_parse(const char *name, struct view text,
    struct ca_set *ret, struct sbx_why *why) MUST_USE;
/*
 * Is each of them in the main subgroup of the curve?  That costs more than
 * verifying a signature, so it is not asked at every login: whoever makes a
 * set asks it once.  A key that is not is one whose owner made it so, and
 * gives nobody else anything; keys of small order, which would, never parse.
 */
enum sbx_err ca_set_check(
    const char *name, const struct ca_set *set, struct sbx_why *why) MUST_USE;

struct cert_policy {
	const char *sandbox_id;
	const struct ca_set *trusted;
	uint64_t now;	       /* Unix time */
	uint64_t clock_skew;   /* seconds by which valid_after may lie ahead */
	uint64_t max_ttl;      /* valid_before - valid_after at most */
	uint64_t issued_after; /* valid_after at least; 0: no such floor */
	unsigned permit;       /* what may be granted at all */
};

/* What it grants; views point into the certificate. */
struct cert_grant {
	unsigned permit;
	bool single_use;
	bool verify_required;
	struct view source_address; /* len 0: anywhere */
	struct view force_command;  /* len 0: none */
};

/*
 * All rules of the login gate, in this order: type, reserved, nonce, serial,
 * key id, times, principal, options, CA, signature.  Nothing is granted
 * unless it returns SBX_OK.
 */
enum sbx_err cert_check(const struct cert *cert,
    const struct cert_policy *policy, struct cert_grant *ret) MUST_USE;

#endif
