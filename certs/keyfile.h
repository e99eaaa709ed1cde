/* SPDX-License-Identifier: ISC */
/*
 * Ed25519 key pairs and OpenSSH's private key files (PROTOCOL.key), without
 * passphrase.
 */
#ifndef SBX_CERTS_KEYFILE_H
#define SBX_CERTS_KEYFILE_H

#include "certs/key.h"
#include "common/file.h"

#define KEYFILE_MAX 16384

struct keypair {
	uint8_t public[KEY_ED25519_LEN];
	uint8_t secret[crypto_sign_ed25519_SECRETKEYBYTES];
};

/* Fresh, from libsodium's random source. */
void keypair_generate(struct keypair *ret);
void keypair_wipe(struct keypair *pair); /* NULL allowed */
#define cleanup_keypair __attribute__((cleanup(keypair_wipe)))

#define KEYFILE_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"

/* The text from KEYFILE_BEGIN on, with comment. */
void
keyfile_put(const struct keypair *pair, const char *comment, struct buf *ret);
/* The same with the certificate, a blob, of its public half within. */
void keyfile_put_certified(const struct keypair *pair, struct view certificate,
    const char *comment, struct buf *ret);
/*
 * The reverse.  Everything is checked: magic, one key, no cipher
 * (SBX_KEY_ENCRYPTED otherwise), check words, padding, and that the secret
 * belongs to the public half.
 */
enum sbx_err keyfile_parse(struct view text, struct keypair *ret) MUST_USE;
/*
 * The public half alone, a blob, of any kind of key in that format, which is
 * readable though there be a passphrase; nothing is checked.
 */
enum sbx_err keyfile_public(struct view text, struct buf *ret) MUST_USE;
/* From a file that root or owner owns and nobody else can read. */
enum sbx_err keyfile_read(const char *path, uid_t owner, struct keypair *ret,
    struct sbx_why *why) MUST_USE;

#endif
