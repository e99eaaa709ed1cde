/* SPDX-License-Identifier: ISC */
/*
 * The key that signs certificates and revocation lists, wherever it is kept:
 * in memory, as read from its file, or in an ssh-agent (agent.h), which may
 * have it from hardware.
 */
#ifndef SBX_CERTS_CA_KEY_H
#define SBX_CERTS_CA_KEY_H

#include "certs/keyfile.h"

#define CA_SIGNATURE_LEN crypto_sign_ed25519_BYTES

struct ca_key {
	uint8_t public[KEY_ED25519_LEN];
	/* A signature over bytes that public verifies, or why there is none. */
	enum sbx_err (*sign)(const void *context, struct view bytes,
	    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why);
	const void *context; /* the caller's; lives as long as this */
};

/* By this pair, which the caller keeps. */
struct ca_key ca_key_of(const struct keypair *pair);
/* The same as an argument. */
#define CA_KEY(pair) ((const struct ca_key[]){ ca_key_of(pair) })

/* Its signature over bytes. */
enum sbx_err ca_key_sign(const struct ca_key *ca, struct view bytes,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why) MUST_USE;

#endif
