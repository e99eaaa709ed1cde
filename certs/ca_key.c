/* SPDX-License-Identifier: ISC */
#include "certs/ca_key.h"

#include <string.h>

static enum sbx_err
sign_by_pair(const void *context, struct view bytes,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why)
{
	const struct keypair *pair = context;

	(void)why;
	(void)crypto_sign_ed25519_detached(
	    ret, NULL, bytes.p, bytes.len, pair->secret);
	return SBX_OK;
}

struct ca_key
ca_key_of(const struct keypair *pair)
{
	struct ca_key ca = { .sign = sign_by_pair, .context = pair };

	memcpy(ca.public, pair->public, sizeof(ca.public));
	return ca;
}

enum sbx_err
ca_key_sign(const struct ca_key *ca, struct view bytes,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why)
{
	return ca->sign(ca->context, bytes, ret, why);
}
