/* SPDX-License-Identifier: ISC */
/*
 * Private key files.  What is accepted is a key that signs, and written out
 * and read again it is the same key.
 */
#include <string.h>

#include "certs/keyfile.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	cleanup_keypair struct keypair pair = { .public = { 0 } },
				       again = { .public = { 0 } };
	uint8_t signature[crypto_sign_ed25519_BYTES];
	static const uint8_t message[] = "message";

	if (keyfile_parse(VIEW(bytes, size), &pair) != SBX_OK)
		return 0;
	FUZZ_ASSERT(crypto_sign_ed25519_detached(signature, NULL, message,
			sizeof(message), pair.secret) == 0);
	FUZZ_ASSERT(crypto_sign_ed25519_verify_detached(
			signature, message, sizeof(message), pair.public) == 0);
	keyfile_put(&pair, "again", &text);
	FUZZ_ASSERT(buf_error(&text) == SBX_OK);
	FUZZ_ASSERT(keyfile_parse(buf_view(&text), &again) == SBX_OK);
	FUZZ_ASSERT(memcmp(&pair, &again, sizeof(pair)) == 0);
	return 0;
}
