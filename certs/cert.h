/* SPDX-License-Identifier: ISC */
/*
 * One OpenSSH certificate (PROTOCOL.certkeys), taken apart and verified.
 * Parsing judges the form only; whether it lets anyone in is check.h.
 *
 * A struct cert is a set of views into the blob; it owns nothing.
 */
#ifndef SBX_CERTS_CERT_H
#define SBX_CERTS_CERT_H

#include "certs/key.h"

#define CERT_BLOB_MAX 16384
#define CERT_NONCE_MAX 64
#define CERT_KEY_ID_MAX 1024
#define CERT_PRINCIPALS_MAX 256 /* OpenSSH's own limit */
#define CERT_PRINCIPAL_LEN_MAX 1024
#define CERT_OPTIONS_MAX 8192 /* bytes of one option block */

#define CERT_SIGNATURE_LEN crypto_sign_ed25519_BYTES

#define CERT_TYPE_USER 1
#define CERT_TYPE_HOST 2

/* Names of the options we know besides permit-* (permit.h). */
#define CERT_OPT_FORCE_COMMAND "force-command"	     /* critical */
#define CERT_OPT_SOURCE_ADDRESS "source-address"     /* critical */
#define CERT_OPT_VERIFY_REQUIRED "verify-required"   /* critical, for sk keys */
#define CERT_OPT_SINGLE_USE "single-use@sandbox-ssh" /* extension, flag */

struct cert {
	const struct key_kind *kind; /* of the certified key */
	struct view blob;
	struct view nonce;
	struct view key_fields; /* of the certified key, after its nonce */
	uint64_t serial;
	uint32_t type;
	struct view key_id;
	struct view principals; /* block of strings: cert_next_principal */
	size_t principal_count;
	uint64_t valid_after;
	uint64_t valid_before;
	struct view critical; /* blocks of options: cert_next_option */
	struct view extensions;
	struct view reserved;
	struct view ca;		 /* the CA's public key blob */
	struct view signed_part; /* what the signature is over */
	struct view signature_type;
	struct view signature; /* raw, whatever its length */
};

struct cert_option {
	struct view name;
	struct view data; /* the outer string; for a value, a string in it */
};

/*
 * The form only: every field in place, nothing left at any level, at most
 * the limits above, blob starting with a certificate's type name.
 */
enum sbx_err cert_parse(struct view blob, struct cert *ret) MUST_USE;
/*
 * The line "TYPE BASE64 [COMMENT]" of a -cert.pub file; the blob is appended
 * to ret_blob, which must outlive ret.
 */
enum sbx_err cert_parse_line(
    struct view line, struct buf *ret_blob, struct cert *ret) MUST_USE;

/*
 * Walk the blocks of a parsed certificate, start with *cursor = the block:
 * false at its end.  (cert_parse has made sure that they are well-formed.)
 */
bool cert_next_principal(struct view *cursor, struct view *ret) MUST_USE;
bool cert_next_option(struct view *cursor, struct cert_option *ret) MUST_USE;

/* 1 to CERT_KEY_ID_MAX printable ASCII characters. */
bool cert_key_id_ok(struct view key_id) MUST_USE;
/* The certified key as a plain key blob, appended to ret. */
void cert_put_public_key(const struct cert *cert, struct buf *ret);

/*
 * Is it signed by this Ed25519 CA?  SBX_CA_TYPE if its CA is no plain
 * Ed25519 key, SBX_CA_UNKNOWN if it is another one, SBX_CERT_SIGNATURE if
 * the signature is not "ssh-ed25519", not 64 bytes, or wrong.
 */
enum sbx_err cert_verify(
    const struct cert *cert, const uint8_t ca[static KEY_ED25519_LEN]) MUST_USE;

#endif
