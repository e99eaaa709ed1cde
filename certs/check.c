/* SPDX-License-Identifier: ISC */
#include "certs/check.h"

#include <string.h>

#include "certs/cidr.h"
#include "common/name.h"
#include "common/text.h"

#define NONCE_MIN 16

enum sbx_err
ca_set_parse(
    const char *name, struct view text, struct ca_set *ret, struct sbx_why *why)
{
	struct ca_set set = { 0 };
	struct view line;

	for (size_t number = 1; text_next_line(&text, &line); number++) {
		cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
		struct view rest = line, word;
		struct public_key key;
		enum sbx_err err;

		if (!text_next_word(&rest, &word) || word.p[0] == '#')
			continue;
		if (set.count == CHECK_CA_MAX)
			return sbx_fail(why, SBX_CONFIG,
			    "%s:%zu: more than %d CA keys", name, number,
			    CHECK_CA_MAX);
		err = key_parse_line(line, &blob, &key);
		if (err == SBX_OK)
			err = key_ed25519(&key, set.key[set.count]);
		if (err != SBX_OK)
			return sbx_fail(why, SBX_CONFIG,
			    "%s:%zu: %s: a CA is a line "
			    "\"ssh-ed25519 BASE64\"",
			    name, number, sbx_err_text(err));
		set.count++;
	}
	if (set.count == 0)
		return sbx_fail(why, SBX_CONFIG,
		    "%s: no CA key in it: add the CA's .pub line", name);
	*ret = set;
	return SBX_OK;
}

enum sbx_err
ca_set_check(const char *name, const struct ca_set *set, struct sbx_why *why)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!crypto_core_ed25519_is_valid_point(set->key[i]))
			return sbx_fail(why, SBX_CONFIG,
			    "%s: CA key number %zu is not a point that "
			    "Ed25519 keys are: make another one",
			    name, i + 1);
	}
	return SBX_OK;
}

/* The one string that a value is, of at least one byte and without NUL. */
static enum sbx_err
take_value(struct view data, struct view *ret)
{
	struct wire w = wire_of(data);
	struct view value = wire_string(&w, CERT_OPTIONS_MAX);

	if (wire_end(&w) != SBX_OK || value.len == 0 ||
	    memchr(value.p, '\0', value.len) != NULL)
		return SBX_OPTION_VALUE;
	*ret = value;
	return SBX_OK;
}

static enum sbx_err
take_force_command(
    const struct cert *cert, struct view data, struct cert_grant *ret)
{
	(void)cert;
	return take_value(data, &ret->force_command);
}

/* Whether the peer's address matches is sshd's part: it knows the peer. */
static enum sbx_err
take_source_address(
    const struct cert *cert, struct view data, struct cert_grant *ret)
{
	enum sbx_err err = take_value(data, &ret->source_address);

	(void)cert;
	if (err == SBX_OK && !cidr_list_is_canonical(ret->source_address))
		err = SBX_OPTION_VALUE;
	return err;
}

static enum sbx_err
take_verify_required(
    const struct cert *cert, struct view data, struct cert_grant *ret)
{
	/* Only a security key can tell that it verified its user. */
	if (strncmp(cert->kind->name, "sk-", 3) != 0)
		return SBX_OPTION_UNKNOWN;
	ret->verify_required = true;
	return data.len == 0 ? SBX_OK : SBX_OPTION_VALUE;
}

static const struct critical_row {
	const char *name;
	enum sbx_err (*take)(
	    const struct cert *cert, struct view data, struct cert_grant *ret);
} critical_rows[] = {
	{ CERT_OPT_FORCE_COMMAND, take_force_command },
	{ CERT_OPT_SOURCE_ADDRESS, take_source_address },
	{ CERT_OPT_VERIFY_REQUIRED, take_verify_required },
};

static const struct critical_row *
find_critical(struct view name)
{
	for (size_t i = 0; i < sizeof(critical_rows) / sizeof(critical_rows[0]);
	     i++) {
		if (view_eq_str(name, critical_rows[i].name))
			return &critical_rows[i];
	}
	return NULL;
}

static enum sbx_err
take_critical(const struct cert *cert, const struct cert_option *option,
    struct cert_grant *ret)
{
	const struct critical_row *row = find_critical(option->name);

	if (row == NULL)
		return SBX_OPTION_UNKNOWN;
	return row->take(cert, option->data, ret);
}

static enum sbx_err
take_extension(const struct cert *cert, const struct cert_option *option,
    struct cert_grant *ret)
{
	unsigned permit = 0;
	bool single_use = view_eq_str(option->name, CERT_OPT_SINGLE_USE);

	(void)cert;
	/* sshd would ignore it there, and with it the restriction. */
	if (find_critical(option->name) != NULL)
		return SBX_OPTION_PLACE;
	for (size_t i = 0; i < permit_row_count; i++) {
		if (view_eq_str(option->name, permit_rows[i].extension))
			permit = permit_rows[i].bit;
	}
	if (permit == 0 && !single_use)
		return SBX_OK; /* unknown extensions mean nothing */
	if (option->data.len != 0)
		return SBX_OPTION_VALUE;
	ret->permit |= permit;
	ret->single_use = ret->single_use || single_use;
	return SBX_OK;
}

static enum sbx_err
take_options(const struct cert *cert, struct view block,
    enum sbx_err (*take)(const struct cert *cert,
	const struct cert_option *option, struct cert_grant *ret),
    struct cert_grant *ret)
{
	struct cert_option option;
	struct view previous = { NULL, 0 };

	while (cert_next_option(&block, &option)) {
		enum sbx_err err;

		if (previous.p != NULL && view_cmp(previous, option.name) >= 0)
			return SBX_OPTION_ORDER;
		previous = option.name;
		err = take(cert, &option, ret);
		if (err != SBX_OK)
			return err;
	}
	return SBX_OK;
}

static enum sbx_err
check_form(const struct cert *cert)
{
	if (cert->type != CERT_TYPE_USER)
		return SBX_CERT_TYPE;
	if (cert->reserved.len != 0)
		return SBX_CERT_RESERVED;
	if (cert->nonce.len < NONCE_MIN)
		return SBX_CERT_NONCE;
	if (cert->serial == 0)
		return SBX_SERIAL_ZERO;
	return cert_key_id_ok(cert->key_id) ? SBX_OK : SBX_KEY_ID;
}

static enum sbx_err
check_times(const struct cert *cert, const struct cert_policy *policy)
{
	uint64_t after = cert->valid_after, before = cert->valid_before;

	if (after >= before)
		return SBX_VALIDITY;
	if (before == UINT64_MAX || before - after > policy->max_ttl)
		return SBX_LIFETIME;
	/* Not "after > now + skew": that sum may wrap. */
	if (after > policy->now && after - policy->now > policy->clock_skew)
		return SBX_NOT_YET_VALID;
	if (policy->now >= before)
		return SBX_EXPIRED;
	return after < policy->issued_after ? SBX_ISSUED_EARLIER : SBX_OK;
}

static enum sbx_err
check_principal(const struct cert *cert, const char *sandbox_id)
{
	struct view cursor = cert->principals, principal;

	if (cert->principal_count != 1 ||
	    !cert_next_principal(&cursor, &principal))
		return SBX_PRINCIPALS;
	if (!name_is_id(principal))
		return SBX_PRINCIPAL_NAME;
	return view_eq_str(principal, sandbox_id) ? SBX_OK : SBX_WRONG_SANDBOX;
}

/* Only the CA that the certificate names is asked, so at most one verifies. */
static enum sbx_err
check_signature(const struct cert *cert, const struct ca_set *trusted)
{
	enum sbx_err err = SBX_CA_UNKNOWN;

	for (size_t i = 0; i < trusted->count && err == SBX_CA_UNKNOWN; i++)
		err = cert_verify(cert, trusted->key[i]);
	return err;
}

enum sbx_err
cert_check(const struct cert *cert, const struct cert_policy *policy,
    struct cert_grant *ret)
{
	struct cert_grant grant = { 0 };
	enum sbx_err err = check_form(cert);

	if (err == SBX_OK)
		err = check_times(cert, policy);
	if (err == SBX_OK)
		err = check_principal(cert, policy->sandbox_id);
	if (err == SBX_OK)
		err = take_options(cert, cert->critical, take_critical, &grant);
	if (err == SBX_OK)
		err = take_options(
		    cert, cert->extensions, take_extension, &grant);
	if (err == SBX_OK)
		err = check_signature(cert, policy->trusted);
	if (err != SBX_OK)
		return err;
	grant.permit &= policy->permit;
	*ret = grant;
	return SBX_OK;
}
