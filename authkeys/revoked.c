#include "authkeys/revoked.h"

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
    const uint8_t ca[static KEY_ED25519_LEN], struct sbx_why *why)
{
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct revocations list;
	enum sbx_err err = revocations_open(fd, &list, why);

	if (err == SBX_OK)
		err = revocations_judge(&list, policy, why);
	if (err != SBX_OK)
		return err;
	cert_put_public_key(cert, &key);
	if (buf_error(&key) != SBX_OK)
		return buf_error(&key);
	return revocations_check(&list, ca, cert->serial, buf_view(&key), why);
}

enum sbx_err
revoked_check(const struct gate_settings *settings, uid_t owner, uint64_t now,
    const struct cert *cert, const uint8_t ca[static KEY_ED25519_LEN],
    struct sbx_why *why)
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

	if (settings->revoked[0] == '\0')
		return SBX_OK;
	err = file_open_trusted(
	    settings->revoked, owner, FORBIDDEN_MODE, &fd, why);
	if (err != SBX_OK)
		return as_reason(err);
	err = ask(fd, &policy, cert, ca, &inner);
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, as_reason(err), "%s: %s", settings->revoked,
	    sbx_why_text(&inner, err));
}
