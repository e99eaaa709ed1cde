/* SPDX-License-Identifier: ISC */
#include "certs/cert.h"

#include <string.h>

bool
cert_next_principal(struct view *cursor, struct view *ret)
{
	struct wire w = wire_of(*cursor);

	if (!wire_more(&w))
		return false;
	*ret = wire_string(&w, CERT_PRINCIPAL_LEN_MAX);
	*cursor = VIEW(w.p, w.left);
	return wire_error(&w) == SBX_OK;
}

bool
cert_next_option(struct view *cursor, struct cert_option *ret)
{
	struct wire w = wire_of(*cursor);

	if (!wire_more(&w))
		return false;
	ret->name = wire_string(&w, CERT_OPTIONS_MAX);
	ret->data = wire_string(&w, CERT_OPTIONS_MAX);
	*cursor = VIEW(w.p, w.left);
	return wire_error(&w) == SBX_OK;
}

/* A block of strings; its count, or w poisoned. */
static struct view
take_principals(struct wire *w, size_t *ret_count)
{
	struct view block = wire_string(w, CERT_BLOB_MAX);
	struct wire inner = wire_of(block);

	for (*ret_count = 0; wire_more(&inner); ++*ret_count) {
		if (*ret_count == CERT_PRINCIPALS_MAX)
			wire_fail(&inner, SBX_TOO_LARGE);
		(void)wire_string(&inner, CERT_PRINCIPAL_LEN_MAX);
	}
	wire_fail(w, wire_error(&inner));
	return block;
}

/* A block of pairs of strings. */
static struct view
take_options(struct wire *w)
{
	struct view block = wire_string(w, CERT_OPTIONS_MAX);
	struct wire inner = wire_of(block);

	while (wire_more(&inner)) {
		(void)wire_string(&inner, CERT_OPTIONS_MAX);
		(void)wire_string(&inner, CERT_OPTIONS_MAX);
	}
	wire_fail(w, wire_error(&inner));
	return block;
}

static void
take_signature(struct wire *w, struct cert *cert)
{
	struct wire inner = wire_nested(w, KEY_BLOB_MAX);
	const struct key_kind *kind;

	cert->signature_type = wire_string(&inner, KEY_TYPE_MAX);
	cert->signature = wire_string(&inner, KEY_BLOB_MAX);
	/* A security key adds flags and a counter (PROTOCOL.u2f). */
	kind = key_kind_of(cert->signature_type);
	if (kind != NULL && strncmp(kind->name, "sk-", 3) == 0) {
		(void)wire_u8(&inner);
		(void)wire_u32(&inner);
	}
	wire_fail(w, wire_end(&inner));
}

enum sbx_err
cert_parse(struct view blob, struct cert *ret)
{
	struct wire w = wire_of(blob);
	struct view name = wire_string(&w, KEY_TYPE_MAX);
	struct cert cert = { .blob = blob };
	struct wire fields;

	if (blob.len > CERT_BLOB_MAX)
		return SBX_TOO_LARGE;
	if (wire_error(&w) != SBX_OK)
		return wire_error(&w);
	cert.kind = key_kind_of_cert(name);
	if (cert.kind == NULL)
		return key_kind_of(name) != NULL ? SBX_CERT_TYPE : SBX_KEY_TYPE;
	cert.nonce = wire_string(&w, CERT_NONCE_MAX);
	fields = w;
	cert.kind->skip_fields(&w);
	if (wire_error(&w) == SBX_OK)
		cert.key_fields = wire_bytes(&fields, fields.left - w.left);
	cert.serial = wire_u64(&w);
	cert.type = wire_u32(&w);
	cert.key_id = wire_string(&w, CERT_KEY_ID_MAX);
	cert.principals = take_principals(&w, &cert.principal_count);
	cert.valid_after = wire_u64(&w);
	cert.valid_before = wire_u64(&w);
	cert.critical = take_options(&w);
	cert.extensions = take_options(&w);
	cert.reserved = wire_string(&w, CERT_BLOB_MAX);
	cert.ca = wire_string(&w, KEY_BLOB_MAX);
	cert.signed_part = VIEW(blob.p, blob.len - w.left);
	take_signature(&w, &cert);
	if (wire_end(&w) != SBX_OK)
		return wire_end(&w);
	*ret = cert;
	return SBX_OK;
}

enum sbx_err
cert_parse_line(struct view line, struct buf *ret_blob, struct cert *ret)
{
	struct view blob;
	enum sbx_err err = key_decode_line(line, ret_blob, &blob);

	return err != SBX_OK ? err : cert_parse(blob, ret);
}

bool
cert_key_id_ok(struct view key_id)
{
	for (size_t i = 0; i < key_id.len; i++) {
		if (key_id.p[i] < 0x20 || key_id.p[i] > 0x7e)
			return false;
	}
	return key_id.len > 0 && key_id.len <= CERT_KEY_ID_MAX;
}

void
cert_put_public_key(const struct cert *cert, struct buf *ret)
{
	buf_put_cstring(ret, cert->kind->name);
	buf_put_view(ret, cert->key_fields);
}

enum sbx_err
cert_verify(const struct cert *cert, const uint8_t ca[static KEY_ED25519_LEN])
{
	uint8_t signer[KEY_ED25519_LEN];
	struct public_key key;

	if (key_parse(cert->ca, &key) != SBX_OK ||
	    key_ed25519(&key, signer) != SBX_OK)
		return SBX_CA_TYPE;
	if (memcmp(signer, ca, sizeof(signer)) != 0)
		return SBX_CA_UNKNOWN;
	/* libsodium refuses S + L, small orders and other encodings of R. */
	if (!view_eq_str(cert->signature_type, key.kind->name) ||
	    cert->signature.len != CERT_SIGNATURE_LEN ||
	    crypto_sign_ed25519_verify_detached(cert->signature.p,
		cert->signed_part.p, cert->signed_part.len, ca) != 0)
		return SBX_CERT_SIGNATURE;
	return SBX_OK;
}
