/* SPDX-License-Identifier: ISC */
#include "authkeys/decide.h"

#include <string.h>

#include "certs/cidr.h"

static bool
may_log_in(const struct gate_settings *settings, const char *user)
{
	for (size_t i = 0; i < settings->login_users.count; i++) {
		if (strcmp(settings->login_users.word[i], user) == 0)
			return true;
	}
	return false;
}

/* Our own copy of the CA's key, so that the certificate's is not printed. */
static enum sbx_err
find_ca(const struct ca_set *trusted, struct view blob, const uint8_t **ret)
{
	uint8_t ca[KEY_ED25519_LEN];
	struct public_key key;
	enum sbx_err err = key_parse(blob, &key);

	if (err == SBX_OK)
		err = key_ed25519(&key, ca);
	if (err != SBX_OK)
		return SBX_CA_TYPE;
	for (size_t i = 0; i < trusted->count; i++) {
		if (memcmp(trusted->key[i], ca, sizeof(ca)) == 0) {
			*ret = trusted->key[i];
			return SBX_OK;
		}
	}
	return SBX_CA_UNKNOWN;
}

/* Letting it in again and again is not what its issuer meant. */
static enum sbx_err
check_single_use(const struct cert_grant *grant,
    const struct gate_settings *settings, bool *ret, struct sbx_why *why)
{
	bool always = settings->single_use == GATE_SINGLE_USE_ALWAYS;

	*ret = grant->single_use || always;
	if (grant->single_use && settings->single_use == GATE_SINGLE_USE_NEVER)
		return sbx_fail(why, SBX_SINGLE_USE,
		    "certificate is for a single use, and single_use = never: "
		    "issue one without it");
	if (*ret && settings->state_dir[0] == '\0')
		return sbx_fail(why, SBX_SINGLE_USE,
		    "certificate is for a single use, and state_dir is not "
		    "set: set it, or issue one without it");
	return SBX_OK;
}

/* sshd does the same; only we say in the log why. */
static enum sbx_err
check_peer(const struct request *request, const struct cert_grant *grant,
    struct sbx_why *why)
{
	if (request->peer[0] == '\0' || grant->source_address.len == 0 ||
	    cidr_list_has(grant->source_address, request->peer))
		return SBX_OK;
	return sbx_fail(why, SBX_SOURCE_ADDRESS,
	    "peer %s is not among the certificate's source-address",
	    request->peer);
}

enum sbx_err
decide(const struct request *request, const struct gate_settings *settings,
    uint64_t now, struct decision *ret, struct sbx_why *why)
{
	const struct cert_policy policy = {
		.sandbox_id = settings->id,
		.trusted = &settings->trusted,
		.now = now,
		.clock_skew = settings->clock_skew,
		.max_ttl = settings->max_ttl,
		.issued_after = settings->issued_after,
		.permit = settings->permit,
	};
	struct cert_grant *grant = &ret->grant;
	enum sbx_err err;

	*ret = (struct decision){ .parsed = false };
	err = cert_parse(buf_view(&request->blob), &ret->cert);
	if (err != SBX_OK)
		return err;
	ret->parsed = true;
	if (!may_log_in(settings, request->user))
		return SBX_LOGIN_USER;
	err = cert_check(&ret->cert, &policy, grant);
	if (err == SBX_OK)
		err = find_ca(&settings->trusted, ret->cert.ca, &ret->ca);
	if (err == SBX_OK)
		err = check_peer(request, grant, why);
	if (err != SBX_OK)
		return err;
	err = check_single_use(grant, settings, &ret->single_use, why);
	if (err != SBX_OK)
		return err;
	ret->permit = grant->permit & settings->permit;
	return SBX_OK;
}
