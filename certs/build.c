#include "certs/build.h"

#include <string.h>

#include "certs/cidr.h"
#include "common/name.h"

/* What the login gate would refuse is not made. */
static enum sbx_err
check_request(const struct cert_request *r, struct sbx_why *why)
{
	enum sbx_err err;

	if (r->type != CERT_TYPE_USER && r->type != CERT_TYPE_HOST)
		return SBX_CERT_TYPE;
	err = name_check_id(r->principal, why);
	if (err != SBX_OK)
		return err;
	if (!cert_key_id_ok(VIEW_STR(r->key_id)))
		return sbx_fail(why, SBX_KEY_ID,
		    "key id: use 1 to %d printable ASCII characters",
		    CERT_KEY_ID_MAX);
	if (r->serial == 0)
		return SBX_SERIAL_ZERO;
	if (r->valid_after >= r->valid_before)
		return SBX_VALIDITY;
	if (r->valid_before == UINT64_MAX)
		return sbx_fail(why, SBX_LIFETIME,
		    "a certificate must not be valid for ever");
	if (r->source_address != NULL &&
	    !cidr_list_is_canonical(VIEW_STR(r->source_address)))
		return sbx_fail(why, SBX_OPTION_VALUE,
		    "source address '%.80s' is not a list like "
		    "192.0.2.0/24,2001:db8::/32 (%d entries at most, no bits "
		    "set behind the prefix)",
		    r->source_address, CIDR_LIST_MAX);
	if (r->force_command != NULL && r->force_command[0] == '\0')
		return sbx_fail(
		    why, SBX_OPTION_VALUE, "the forced command is empty");
	if (r->type == CERT_TYPE_HOST &&
	    (r->permit != 0 || r->single_use || r->source_address != NULL ||
		r->force_command != NULL))
		return sbx_fail(
		    why, SBX_CERT_TYPE, "a host certificate has no options");
	return SBX_OK;
}

/* Names in their sorted order: see the callers. */
static void
put_option(struct buf *b, const char *name, const char *value)
{
	buf_put_cstring(b, name);
	if (value == NULL) {
		buf_put_cstring(b, "");
		return;
	}
	buf_put_u32(b, (uint32_t)(sizeof(uint32_t) + strlen(value)));
	buf_put_cstring(b, value);
}

static void
put_critical(const struct cert_request *r, struct buf *ret)
{
	cleanup_buf struct buf block = BUF_INIT(CERT_OPTIONS_MAX);

	if (r->force_command != NULL)
		put_option(&block, CERT_OPT_FORCE_COMMAND, r->force_command);
	if (r->source_address != NULL)
		put_option(&block, CERT_OPT_SOURCE_ADDRESS, r->source_address);
	buf_fail(ret, buf_error(&block));
	buf_put_string(ret, buf_view(&block));
}

static void
put_extensions(const struct cert_request *r, struct buf *ret)
{
	cleanup_buf struct buf block = BUF_INIT(CERT_OPTIONS_MAX);

	for (size_t i = 0; i < permit_row_count; i++) {
		if ((r->permit & permit_rows[i].bit) != 0)
			put_option(&block, permit_rows[i].extension, NULL);
	}
	if (r->single_use)
		put_option(&block, CERT_OPT_SINGLE_USE, NULL);
	buf_fail(ret, buf_error(&block));
	buf_put_string(ret, buf_view(&block));
}

static void
put_principals(const char *principal, struct buf *ret)
{
	buf_put_u32(ret, (uint32_t)(sizeof(uint32_t) + strlen(principal)));
	buf_put_cstring(ret, principal);
}

static void
put_signature(const struct keypair *ca, struct buf *ret)
{
	uint8_t signature[CERT_SIGNATURE_LEN];
	cleanup_buf struct buf inner = BUF_INIT(KEY_BLOB_MAX);

	(void)crypto_sign_ed25519_detached(
	    signature, NULL, ret->p, ret->len, ca->secret);
	buf_put_cstring(&inner, "ssh-ed25519");
	buf_put_string(&inner, VIEW(signature, sizeof(signature)));
	buf_fail(ret, buf_error(&inner));
	buf_put_string(ret, buf_view(&inner));
}

static void
put_certificate(const struct cert_request *r, const struct public_key *key,
    const uint8_t nonce[static BUILD_NONCE_LEN], const struct keypair *ca,
    struct buf *ret)
{
	cleanup_buf struct buf signer = BUF_INIT(KEY_BLOB_MAX);
	struct wire w = wire_of(key->blob);

	(void)wire_string(&w, KEY_TYPE_MAX);
	key_put_ed25519(ca->public, &signer);
	buf_put_cstring(ret, key->kind->cert_name);
	buf_put_string(ret, VIEW(nonce, BUILD_NONCE_LEN));
	buf_put_view(ret, wire_bytes(&w, w.left));
	buf_put_u64(ret, r->serial);
	buf_put_u32(ret, r->type);
	buf_put_cstring(ret, r->key_id);
	put_principals(r->principal, ret);
	buf_put_u64(ret, r->valid_after);
	buf_put_u64(ret, r->valid_before);
	put_critical(r, ret);
	put_extensions(r, ret);
	buf_put_cstring(ret, ""); /* reserved */
	buf_fail(ret, buf_error(&signer));
	buf_put_string(ret, buf_view(&signer));
	if (buf_error(ret) == SBX_OK)
		put_signature(ca, ret);
}

enum sbx_err
cert_issue(const struct cert_request *request,
    const uint8_t nonce[static BUILD_NONCE_LEN], const struct keypair *ca,
    struct buf *ret, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct public_key key;
	enum sbx_err err = key_parse(request->public_key, &key);

	if (err != SBX_OK)
		return sbx_fail(
		    why, err, "the key to certify: %s", sbx_err_text(err));
	err = check_request(request, why);
	if (err != SBX_OK)
		return err;
	put_certificate(request, &key, nonce, ca, &blob);
	if (buf_error(&blob) != SBX_OK)
		return sbx_fail(why, buf_error(&blob), "the certificate: %s",
		    sbx_err_text(buf_error(&blob)));
	buf_put_view(ret, buf_view(&blob));
	return buf_error(ret);
}
