/* SPDX-License-Identifier: ISC */
#include "certs/key.h"

#include <string.h>

#include "common/text.h"

#define APPLICATION_MAX 255
#define RSA_MAX_BYTES 2048 /* 16384 bits, OpenSSH's own limit */
#define RSA_EXPONENT_MAX 8

/*
 * The y coordinates of the points whose order divides 8 (RFC 7748, section 7
 * explains the danger): such a "key" verifies signatures nobody made.
 */
static const uint8_t small_order[][KEY_ED25519_LEN] = {
	{ 0x00 },
	{ 0x01 },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	    0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	    0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	    0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	    0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

/* y >= 2^255 - 19, in little-endian order and without the sign of x. */
static bool
is_reduced(const uint8_t y[static KEY_ED25519_LEN])
{
	if (y[0] < 0xed || y[KEY_ED25519_LEN - 1] != 0x7f)
		return true;
	for (size_t i = 1; i < KEY_ED25519_LEN - 1; i++) {
		if (y[i] != 0xff)
			return true;
	}
	return false;
}

/*
 * The cheap half of crypto_core_ed25519_is_valid_point(): the other half, is
 * the point in the main subgroup, costs as much as a signature and only
 * matters for keys that we trust (ca_set_check asks it).
 */
static bool
is_usable_ed25519(struct view point)
{
	uint8_t y[KEY_ED25519_LEN];

	if (point.len != sizeof(y))
		return false;
	memcpy(y, point.p, sizeof(y));
	y[sizeof(y) - 1] &= 0x7f;
	for (size_t i = 0; i < sizeof(small_order) / sizeof(y); i++) {
		if (memcmp(y, small_order[i], sizeof(y)) == 0)
			return false;
	}
	return is_reduced(y);
}

static void
skip_ed25519(struct wire *w)
{
	struct view point = wire_string(w, KEY_BLOB_MAX);

	if (!is_usable_ed25519(point))
		wire_fail(w, SBX_KEY_MALFORMED);
}

static void
skip_application(struct wire *w)
{
	struct view application = wire_string(w, APPLICATION_MAX);

	if (application.len == 0)
		wire_fail(w, SBX_KEY_MALFORMED);
}

static void
skip_sk_ed25519(struct wire *w)
{
	skip_ed25519(w);
	skip_application(w);
}

/* An uncompressed point (RFC 5656, section 3.1) of a curve of that size. */
static void
skip_ecdsa(struct wire *w, const char *curve, size_t bits)
{
	struct view name = wire_string(w, KEY_TYPE_MAX);
	struct view point = wire_string(w, KEY_BLOB_MAX);

	if (!view_eq_str(name, curve) ||
	    point.len != 1 + 2 * ((bits + 7) / 8) || point.p[0] != 0x04)
		wire_fail(w, SBX_KEY_MALFORMED);
}

static void
skip_nistp256(struct wire *w)
{
	skip_ecdsa(w, "nistp256", 256);
}

static void
skip_nistp384(struct wire *w)
{
	skip_ecdsa(w, "nistp384", 384);
}

static void
skip_nistp521(struct wire *w)
{
	skip_ecdsa(w, "nistp521", 521);
}

static void
skip_sk_nistp256(struct wire *w)
{
	skip_nistp256(w);
	skip_application(w);
}

/*
 * How many bits a positive odd mpint has; 0 unless it is in its one canonical
 * form: a leading zero byte exactly when the next one would look like a sign.
 */
static size_t
odd_mpint_bits(struct view n, size_t max_bytes)
{
	size_t bits;

	if (n.len == 0 || (n.p[n.len - 1] & 1) == 0 || (n.p[0] & 0x80) != 0)
		return 0;
	if (n.p[0] == 0) {
		if (n.len == 1 || (n.p[1] & 0x80) == 0)
			return 0;
		n = VIEW(n.p + 1, n.len - 1);
	}
	if (n.len > max_bytes)
		return 0;
	bits = 8 * n.len;
	for (uint8_t top = n.p[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static void
skip_rsa(struct wire *w)
{
	struct view exponent = wire_string(w, KEY_BLOB_MAX);
	struct view modulus = wire_string(w, KEY_BLOB_MAX);
	size_t bits = odd_mpint_bits(modulus, RSA_MAX_BYTES);

	if (odd_mpint_bits(exponent, RSA_EXPONENT_MAX) < 2 || bits == 0)
		wire_fail(w, SBX_KEY_MALFORMED);
	if (bits < KEY_RSA_MIN_BITS)
		wire_fail(w, SBX_KEY_WEAK);
}

static const struct key_kind kinds[] = {
	{ "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "ED25519",
	    skip_ed25519 },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com",
	    "ED25519-SK", skip_sk_ed25519 },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "ECDSA", skip_nistp256 },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com",
	    "ECDSA", skip_nistp384 },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	    "ECDSA", skip_nistp521 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com",
	    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "ECDSA-SK",
	    skip_sk_nistp256 },
	{ "ssh-rsa", "ssh-rsa-cert-v01@openssh.com", "RSA", skip_rsa },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct key_kind *
key_kind_of(struct view name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (view_eq_str(name, kinds[i].name))
			return &kinds[i];
	}
	return NULL;
}

const struct key_kind *
key_kind_of_cert(struct view name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (view_eq_str(name, kinds[i].cert_name))
			return &kinds[i];
	}
	return NULL;
}

enum sbx_err
key_parse(struct view blob, struct public_key *ret)
{
	struct wire w = wire_of(blob);
	struct view name = wire_string(&w, KEY_TYPE_MAX);
	const struct key_kind *kind;

	if (blob.len > KEY_BLOB_MAX)
		return SBX_TOO_LARGE;
	if (wire_error(&w) != SBX_OK)
		return wire_error(&w);
	kind = key_kind_of(name);
	if (kind == NULL)
		return SBX_KEY_TYPE;
	kind->skip_fields(&w);
	if (wire_end(&w) != SBX_OK)
		return wire_end(&w);
	*ret = (struct public_key){ kind, blob };
	return SBX_OK;
}

enum sbx_err
key_decode_line(struct view line, struct buf *ret_blob, struct view *ret)
{
	size_t start = ret_blob->len;
	struct view type, base64, blob;
	enum sbx_err err;
	struct wire w;

	if (!text_next_word(&line, &type) || !text_next_word(&line, &base64))
		return SBX_KEY_MALFORMED;
	err = text_base64_decode(base64, ret_blob);
	if (err != SBX_OK)
		return err;
	w = wire_of(buf_view(ret_blob));
	(void)wire_bytes(&w, start);
	blob = wire_bytes(&w, ret_blob->len - start);
	w = wire_of(blob);
	if (!view_eq(wire_string(&w, KEY_TYPE_MAX), type))
		return wire_error(&w) != SBX_OK ? wire_error(&w)
						: SBX_TYPE_MISMATCH;
	*ret = blob;
	return SBX_OK;
}

enum sbx_err
key_parse_line(struct view line, struct buf *ret_blob, struct public_key *ret)
{
	struct view blob;
	enum sbx_err err = key_decode_line(line, ret_blob, &blob);

	return err != SBX_OK ? err : key_parse(blob, ret);
}

void
key_put_line(struct view blob, const char *comment, struct buf *ret)
{
	struct wire w = wire_of(blob);

	buf_put_view(ret, wire_string(&w, KEY_TYPE_MAX));
	buf_fail(ret, wire_error(&w));
	buf_put_text(ret, " ");
	text_base64_encode(blob, ret);
	if (comment == NULL)
		return;
	buf_put_text(ret, " ");
	buf_put_text(ret, comment);
}

enum sbx_err
key_ed25519(const struct public_key *key, uint8_t ret[static KEY_ED25519_LEN])
{
	struct wire w = wire_of(key->blob);
	struct view name = wire_string(&w, KEY_TYPE_MAX);
	struct view point = wire_string(&w, KEY_ED25519_LEN);

	if (wire_end(&w) != SBX_OK || point.len != KEY_ED25519_LEN ||
	    !view_eq_str(name, kinds[0].name))
		return SBX_KEY_TYPE;
	memcpy(ret, point.p, point.len);
	return SBX_OK;
}

void
key_put_ed25519(const uint8_t key[static KEY_ED25519_LEN], struct buf *ret_blob)
{
	buf_put_cstring(ret_blob, kinds[0].name);
	buf_put_string(ret_blob, VIEW(key, KEY_ED25519_LEN));
}

void
key_fingerprint(struct view blob, char ret[static KEY_FINGERPRINT_LEN])
{
	static const char prefix[] = "SHA256:";
	uint8_t hash[crypto_hash_sha256_BYTES];
	size_t skip = sizeof(prefix) - 1;

	(void)crypto_hash_sha256(hash, blob.p, blob.len);
	memcpy(ret, prefix, skip);
	(void)sodium_bin2base64(ret + skip, KEY_FINGERPRINT_LEN - skip, hash,
	    sizeof(hash), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}
