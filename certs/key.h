/* SPDX-License-Identifier: ISC */
/*
 * OpenSSH public keys: RFC 4253 section 6.6, RFC 5656, RFC 8709 and
 * OpenSSH's PROTOCOL.u2f; their certificates' names are in PROTOCOL.certkeys.
 *
 * A public_key is a set of views into the blob it was parsed from; it owns
 * nothing and lives as long as that blob.
 */
#ifndef SBX_CERTS_KEY_H
#define SBX_CERTS_KEY_H

#include <sodium.h>

#include "common/buf.h"

#define KEY_BLOB_MAX 4096 /* a plain public key: RSA with 16384 bits fits */
#define KEY_TYPE_MAX 64
#define KEY_RSA_MIN_BITS 2048
#define KEY_ED25519_LEN crypto_sign_ed25519_PUBLICKEYBYTES
#define KEY_FINGERPRINT_LEN 51 /* "SHA256:" 43 characters and a NUL */

/* A row of the table of key types that OpenSSH certifies. */
struct key_kind {
	const char *name;      /* "ssh-ed25519" */
	const char *cert_name; /* "ssh-ed25519-cert-v01@openssh.com" */
	const char *label;     /* "ED25519", as ssh-keygen prints it */
	/*
	 * Reads the key's own fields (after the name, and in a certificate
	 * after the nonce) off w, poisoning it when they are malformed:
	 * wrong point or modulus size, off-curve encoding form, curve name
	 * that does not fit, small-order Ed25519 point.
	 */
	void (*skip_fields)(struct wire *w);
};

struct public_key {
	const struct key_kind *kind;
	struct view blob; /* the whole plain key */
};

/* By plain name or by certificate name; NULL if there is none. */
const struct key_kind *key_kind_of(struct view name) MUST_USE;
const struct key_kind *key_kind_of_cert(struct view name) MUST_USE;

/* A plain key, complete and well-formed, nothing after it. */
enum sbx_err key_parse(struct view blob, struct public_key *ret) MUST_USE;

/*
 * A line "TYPE BASE64 [COMMENT]" as in a .pub file, without options.  The
 * blob is appended to ret_blob, which ret's views point into: it must
 * outlive ret and not be put to again.  SBX_TYPE_MISMATCH if TYPE is not the
 * blob's own.
 */
enum sbx_err key_parse_line(
    struct view line, struct buf *ret_blob, struct public_key *ret) MUST_USE;
/*
 * The same without a look into the blob beyond its type, which may be any
 * (a certificate's, too).
 */
enum sbx_err key_decode_line(
    struct view line, struct buf *ret_blob, struct view *ret) MUST_USE;
/* "TYPE BASE64", then " COMMENT" unless that is NULL; no newline. */
void key_put_line(struct view blob, const char *comment, struct buf *ret);

/* The plain Ed25519 key's 32 bytes; SBX_KEY_TYPE for any other kind. */
enum sbx_err key_ed25519(
    const struct public_key *key, uint8_t ret[static KEY_ED25519_LEN]) MUST_USE;
void key_put_ed25519(
    const uint8_t key[static KEY_ED25519_LEN], struct buf *ret_blob);

/* "SHA256:...", as ssh-keygen -l prints it, of a whole plain key. */
void key_fingerprint(struct view blob, char ret[static KEY_FINGERPRINT_LEN]);

#endif
