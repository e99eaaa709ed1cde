/* SPDX-License-Identifier: ISC */
#include "authkeys/revoked.h"

#include <inttypes.h>
#include <string.h>

#include "authkeys/mark.h"
#include "authkeys/safepath.h"
#include "certs/revocations.h"
#include "common/cleanup.h"
#include "common/file.h"

/* Nobody but its owner may write what decides over logins. */
#define FORBIDDEN_MODE 022

/* The codes that say something of their own; all others mean: damaged. */
static enum sbx_err
as_reason(enum sbx_err err)
{
	switch (err) {
	case SBX_OK:
	case SBX_REVOKED:
	case SBX_REVOKED_STALE:
	case SBX_REVOKED_SIGNER:
	case SBX_UNTRUSTED:
		return err;
	default:
		return SBX_REVOKED_LIST;
	}
}

static enum sbx_err
ask(int fd, const struct revocations_policy *policy, const struct cert *cert,
    const uint8_t ca[static KEY_ED25519_LEN], struct revoked_list *ret_list,
    struct sbx_why *why)
{
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct revocations list;
	enum sbx_err err = revocations_open(fd, &list, why);

	if (err == SBX_OK)
		err = revocations_judge(&list, policy, why);
	if (err != SBX_OK)
		return err;
	ret_list->in_force = true;
	ret_list->issued_at = list.issued_at;
	memcpy(ret_list->signer, list.signer, sizeof(ret_list->signer));
	cert_put_public_key(cert, &key);
	if (buf_error(&key) != SBX_OK)
		return buf_error(&key);
	return revocations_check(&list, ca, cert->serial, buf_view(&key), why);
}

enum sbx_err
revoked_check(const struct gate_settings *settings, uid_t owner, uint64_t now,
    const struct cert *cert, const uint8_t ca[static KEY_ED25519_LEN],
    struct revoked_list *ret_list, struct sbx_why *why)
{
	const struct revocations_policy policy = {
		.trusted = &settings->trusted,
		.now = now,
		.clock_skew = settings->clock_skew,
		.max_age = settings->revoked_max_age,
	};
	cleanup_close int fd = -1;
	struct sbx_why inner = { "" };
	enum sbx_err err;

	*ret_list = (struct revoked_list){ .in_force = false };
	if (settings->revoked[0] == '\0')
		return SBX_OK;
	err = safepath_check_above(
	    settings->revoked, owner, /* sticky= */ true, why);
	if (err == SBX_OK)
		err = file_open_trusted(
		    settings->revoked, owner, FORBIDDEN_MODE, &fd, why);
	if (err != SBX_OK)
		return as_reason(err);
	err = ask(fd, &policy, cert, ca, ret_list, &inner);
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, as_reason(err), "%s: %s", settings->revoked,
	    sbx_why_text(&inner, err));
}

/* The lock is waited for: what is seen here may never be seen again. */
static enum sbx_err
raise(const struct state *state, const char *name, uint64_t issued_at,
    struct sbx_why *why)
{
	enum sbx_err err;

	if (!state_lock(state, /* wait= */ true))
		return state_fail(state, "lock", "", why);
	err = mark_raise(state, name, issued_at, why);
	state_unlock(state);
	return err;
}

enum sbx_err
revoked_newest(const struct state *state, const struct revoked_list *list,
    struct sbx_why *why)
{
	char signer[2 * KEY_ED25519_LEN + 1], name[MARK_NAME_MAX];
	uint64_t newest = 0;
	enum sbx_err err;

	(void)sodium_bin2hex(
	    signer, sizeof(signer), list->signer, sizeof(list->signer));
	(void)snprintf(name, sizeof(name), "list-%s", signer);
	err = mark_read(state, name, &newest, why);
	if (err != SBX_OK)
		return err;
	if (list->issued_at < newest)
		return sbx_fail(why, SBX_REVOKED_OLDER,
		    "the list was issued at %" PRIu64 ", one seen before at "
		    "%" PRIu64 ": see Clock in sandbox-authkeys(8)",
		    list->issued_at, newest);
	/* Denying all of them would serve nobody, as with the floor. */
	if (list->issued_at > newest &&
	    raise(state, name, list->issued_at, why) != SBX_OK)
		return SBX_OK;
	return SBX_OK;
}
