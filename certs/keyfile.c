/* SPDX-License-Identifier: ISC */
#include "certs/keyfile.h"

#include <string.h>

#include "common/text.h"

#define END "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1" /* its NUL belongs to it */
#define CIPHER_NONE "none"
#define BLOCK 8	 /* what the private part is padded to without a cipher */
#define WIDTH 70 /* of ssh-keygen's own lines */
#define COMMENT_MAX 4096

void
keypair_generate(struct keypair *ret)
{
	(void)crypto_sign_ed25519_keypair(ret->public, ret->secret);
}

void
keypair_wipe(struct keypair *pair)
{
	if (pair != NULL)
		sodium_memzero(pair, sizeof(*pair));
}

/* certificate len 0: there is none. */
static void
put_private(const struct keypair *pair, struct view certificate,
    const char *comment, struct buf *ret)
{
	/*
	 * Twice the same word shows that a passphrase was right.  Without a
	 * passphrase any will do; so that the file is a function of its key:
	 */
	for (int i = 0; i < 2; i++)
		buf_put(ret, pair->public, sizeof(uint32_t));
	if (certificate.len > 0) {
		struct wire w = wire_of(certificate);

		buf_put_string(ret, wire_string(&w, KEY_TYPE_MAX));
		buf_put_string(ret, certificate);
		buf_put_string(ret, VIEW(pair->public, sizeof(pair->public)));
	} else {
		key_put_ed25519(pair->public, ret);
	}
	buf_put_string(ret, VIEW(pair->secret, sizeof(pair->secret)));
	buf_put_cstring(ret, comment);
	for (uint8_t pad = 1; ret->len % BLOCK != 0; pad++) {
		if (buf_error(ret) != SBX_OK)
			return;
		buf_put_u8(ret, pad);
	}
}

static void
put(const struct keypair *pair, struct view certificate, const char *comment,
    struct buf *ret)
{
	cleanup_buf struct buf public = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf private = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf whole = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf base64 = BUF_INIT(KEYFILE_MAX);
	struct wire w;

	if (certificate.len > 0)
		buf_put_view(&public, certificate);
	else
		key_put_ed25519(pair->public, &public);
	put_private(pair, certificate, comment, &private);
	buf_put(&whole, MAGIC, sizeof(MAGIC));
	buf_put_cstring(&whole, CIPHER_NONE);
	buf_put_cstring(&whole, CIPHER_NONE); /* no key derivation either */
	buf_put_cstring(&whole, "");
	buf_put_u32(&whole, 1);
	buf_put_string(&whole, buf_view(&public));
	buf_put_string(&whole, buf_view(&private));
	text_base64_encode(buf_view(&whole), &base64);
	buf_fail(ret, buf_error(&public));
	buf_fail(ret, buf_error(&private));
	buf_fail(ret, buf_error(&whole));
	buf_fail(ret, buf_error(&base64));

	buf_put_text(ret, KEYFILE_BEGIN "\n");
	w = wire_of(buf_view(&base64));
	while (wire_more(&w)) {
		buf_put_view(
		    ret, wire_bytes(&w, w.left < WIDTH ? w.left : WIDTH));
		buf_put_text(ret, "\n");
	}
	buf_put_text(ret, END "\n");
}

void
keyfile_put(const struct keypair *pair, const char *comment, struct buf *ret)
{
	put(pair, VIEW(NULL, 0), comment, ret);
}

void
keyfile_put_certified(const struct keypair *pair, struct view certificate,
    const char *comment, struct buf *ret)
{
	put(pair, certificate, comment, ret);
}

/* The bytes between the BEGIN and END lines, appended to ret. */
static enum sbx_err
unwrap(struct view text, struct buf *ret)
{
	cleanup_buf struct buf base64 = BUF_INIT(KEYFILE_MAX);
	struct view line;

	if (text.len > KEYFILE_MAX)
		return SBX_TOO_LARGE;
	if (!text_next_line(&text, &line) || !view_eq_str(line, KEYFILE_BEGIN))
		return SBX_KEY_MALFORMED;
	do {
		if (!text_next_line(&text, &line))
			return SBX_TRUNCATED;
		if (view_eq_str(line, END))
			break;
		buf_put_view(&base64, line);
	} while (buf_error(&base64) == SBX_OK);
	while (text_next_line(&text, &line)) {
		if (line.len != 0)
			return SBX_TRAILING;
	}
	if (buf_error(&base64) != SBX_OK)
		return buf_error(&base64);
	return text_base64_decode(buf_view(&base64), ret);
}

static bool
is_padding(struct wire *w)
{
	if (w->left >= BLOCK)
		return false;
	for (uint8_t want = 1; wire_more(w); want++) {
		if (wire_u8(w) != want)
			return false;
	}
	return true;
}

static enum sbx_err
parse_private(
    struct wire *w, const struct public_key *public, struct keypair *ret)
{
	cleanup_keypair struct keypair derived;
	struct view name, point, secret;
	uint32_t check = wire_u32(w);
	enum sbx_err err;

	err = key_ed25519(public, ret->public);
	if (err != SBX_OK)
		return err;
	if (w->left % BLOCK != BLOCK - sizeof(check) || check != wire_u32(w))
		wire_fail(w, SBX_KEY_MALFORMED);
	name = wire_string(w, KEY_TYPE_MAX);
	point = wire_string(w, KEY_ED25519_LEN);
	secret = wire_string(w, sizeof(ret->secret));
	(void)wire_string(w, COMMENT_MAX);
	if (!is_padding(w))
		wire_fail(w, SBX_KEY_MALFORMED);
	if (wire_end(w) != SBX_OK)
		return wire_end(w);
	if (!view_eq_str(name, public->kind->name) ||
	    !view_eq(point, VIEW(ret->public, sizeof(ret->public))) ||
	    secret.len != sizeof(ret->secret))
		return SBX_KEY_MALFORMED;
	/* The secret's first half is the seed that all the rest follows from.
	 */
	(void)crypto_sign_ed25519_seed_keypair(
	    derived.public, derived.secret, secret.p);
	if (sodium_memcmp(derived.public, ret->public, sizeof(ret->public)) !=
		0 ||
	    sodium_memcmp(derived.secret, secret.p, secret.len) != 0)
		return SBX_KEY_MALFORMED;
	memcpy(ret->secret, derived.secret, sizeof(ret->secret));
	return SBX_OK;
}

static struct wire
begin(struct view bytes)
{
	struct wire w = wire_of(bytes);

	if (!view_eq(wire_bytes(&w, sizeof(MAGIC)), VIEW(MAGIC, sizeof(MAGIC))))
		wire_fail(&w, SBX_KEY_MALFORMED);
	return w;
}

static enum sbx_err
parse(struct view bytes, struct keypair *ret)
{
	struct wire w = begin(bytes), private;
	struct view cipher, kdf, kdf_options, blob;
	struct public_key public;
	enum sbx_err err;
	uint32_t count;

	cipher = wire_string(&w, KEY_TYPE_MAX);
	kdf = wire_string(&w, KEY_TYPE_MAX);
	kdf_options = wire_string(&w, KEYFILE_MAX);
	count = wire_u32(&w);
	blob = wire_string(&w, KEY_BLOB_MAX);
	private = wire_nested(&w, KEYFILE_MAX);
	if (wire_end(&w) != SBX_OK)
		return wire_end(&w);
	if (!view_eq_str(cipher, CIPHER_NONE))
		return SBX_KEY_ENCRYPTED;
	if (!view_eq_str(kdf, CIPHER_NONE) || kdf_options.len != 0 ||
	    count != 1)
		return SBX_KEY_MALFORMED;
	err = key_parse(blob, &public);
	return err != SBX_OK ? err : parse_private(&private, &public, ret);
}

enum sbx_err
keyfile_parse(struct view text, struct keypair *ret)
{
	cleanup_buf struct buf bytes = BUF_INIT(KEYFILE_MAX);
	cleanup_keypair struct keypair pair;
	enum sbx_err err = unwrap(text, &bytes);

	if (err == SBX_OK)
		err = parse(buf_view(&bytes), &pair);
	if (err == SBX_OK)
		*ret = pair;
	return err;
}

enum sbx_err
keyfile_public(struct view text, struct buf *ret)
{
	cleanup_buf struct buf bytes = BUF_INIT(KEYFILE_MAX);
	enum sbx_err err = unwrap(text, &bytes);
	struct wire w = begin(buf_view(&bytes));
	struct view blob;

	/* Cipher, key derivation, its options; how many keys. */
	for (int i = 0; i < 3; i++)
		(void)wire_string(&w, KEYFILE_MAX);
	if (wire_u32(&w) != 1)
		wire_fail(&w, SBX_KEY_MALFORMED);
	blob = wire_string(&w, KEY_BLOB_MAX);
	(void)wire_string(&w, KEYFILE_MAX);
	if (err == SBX_OK)
		err = wire_end(&w);
	if (err != SBX_OK)
		return err;
	buf_put_view(ret, blob);
	return buf_error(ret);
}

enum sbx_err
keyfile_read(
    const char *path, uid_t owner, struct keypair *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	enum sbx_err err =
	    file_read_trusted(path, owner, /* forbidden= */ 077, &text, why);

	if (err != SBX_OK)
		return err;
	err = keyfile_parse(buf_view(&text), ret);
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, err,
	    "%s: %s: it must be an OpenSSH Ed25519 private key without "
	    "passphrase",
	    path, sbx_err_text(err));
}
