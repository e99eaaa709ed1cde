/* SPDX-License-Identifier: ISC */
#include "certs/build.h"

#include <string.h>

#include "certs/cidr.h"
#include "common/name.h"

/* The names after the first one, in turn; NULL at their end. */
static const char *
alias(const struct cert_request *r, size_t i)
{
	return r->aliases == NULL ? NULL : r->aliases[i];
}

static bool
is_id(const char *text)
{
	return name_is_id(VIEW_STR(text));
}

/* A certificate of ours opens one sandbox; a host may have several names. */
static const struct principal_rule {
	uint32_t type;
	size_t aliases_max;
	bool (*fits)(const char *text);
	const char *expected;
} principal_rules[] = {
	{ CERT_TYPE_USER, 0, is_id, "a sandbox id" },
	{ CERT_TYPE_HOST, BUILD_ALIASES_MAX, name_is_suffix,
	    "a host name in small letters" },
};

static const struct principal_rule *
find_rule(uint32_t type)
{
	for (size_t i = 0;
	     i < sizeof(principal_rules) / sizeof(principal_rules[0]); i++) {
		if (principal_rules[i].type == type)
			return &principal_rules[i];
	}
	return NULL;
}

static enum sbx_err
check_principals(const struct cert_request *r, struct sbx_why *why)
{
	const struct principal_rule *rule = find_rule(r->type);
	const char *name = r->principal;

	if (rule == NULL)
		return SBX_CERT_TYPE;
	for (size_t i = 0; name != NULL; name = alias(r, i++)) {
		if (i > rule->aliases_max)
			return sbx_fail(why, SBX_PRINCIPALS,
			    "more than %zu names", rule->aliases_max + 1);
		if (strlen(name) > NAME_ALIAS_MAX || !rule->fits(name))
			return sbx_fail(why, SBX_BAD_NAME, "'%.80s' is not %s",
			    name, rule->expected);
	}
	return SBX_OK;
}

enum sbx_err
cert_request_check(const struct cert_request *r, struct sbx_why *why)
{
	enum sbx_err err;

	err = check_principals(r, why);
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
put_principals(const struct cert_request *r, struct buf *ret)
{
	cleanup_buf struct buf block = BUF_INIT(CERT_BLOB_MAX);
	const char *name = r->principal;

	for (size_t i = 0; name != NULL; name = alias(r, i++))
		buf_put_cstring(&block, name);
	buf_fail(ret, buf_error(&block));
	buf_put_string(ret, buf_view(&block));
}

static enum sbx_err
put_signature(const struct ca_key *ca, struct buf *ret, struct sbx_why *why)
{
	uint8_t signature[CERT_SIGNATURE_LEN];
	cleanup_buf struct buf inner = BUF_INIT(KEY_BLOB_MAX);
	enum sbx_err err = ca_key_sign(ca, buf_view(ret), signature, why);

	if (err != SBX_OK)
		return err;
	buf_put_cstring(&inner, "ssh-ed25519");
	buf_put_string(&inner, VIEW(signature, sizeof(signature)));
	buf_fail(ret, buf_error(&inner));
	buf_put_string(ret, buf_view(&inner));
	return buf_error(ret);
}

static void
put_unsigned(const struct cert_request *r, const struct public_key *key,
    const uint8_t nonce[static BUILD_NONCE_LEN], const struct ca_key *ca,
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
	put_principals(r, ret);
	buf_put_u64(ret, r->valid_after);
	buf_put_u64(ret, r->valid_before);
	put_critical(r, ret);
	put_extensions(r, ret);
	buf_put_cstring(ret, ""); /* reserved */
	buf_fail(ret, buf_error(&signer));
	buf_put_string(ret, buf_view(&signer));
}

enum sbx_err
cert_issue(const struct cert_request *request,
    const uint8_t nonce[static BUILD_NONCE_LEN], const struct ca_key *ca,
    struct buf *ret, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct public_key key;
	enum sbx_err err = key_parse(request->public_key, &key);

	if (err != SBX_OK)
		return sbx_fail(
		    why, err, "the key to certify: %s", sbx_err_text(err));
	err = cert_request_check(request, why);
	if (err != SBX_OK)
		return err;
	put_unsigned(request, &key, nonce, ca, &blob);
	if (buf_error(&blob) == SBX_OK)
		err = put_signature(ca, &blob, why);
	if (buf_error(&blob) != SBX_OK)
		return sbx_fail(why, buf_error(&blob), "the certificate: %s",
		    sbx_err_text(buf_error(&blob)));
	if (err != SBX_OK)
		return err;
	buf_put_view(ret, buf_view(&blob));
	return buf_error(ret);
}
