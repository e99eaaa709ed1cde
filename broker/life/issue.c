/* SPDX-License-Identifier: ISC */
#include "broker/life/issue.h"

#include <string.h>

#include "broker/helper/provider_call.h"
#include "broker/helper/signer.h"
#include "certs/check.h"
#include "common/text.h"

#define SERIAL_TRIES 8

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum sbx_err
issue_validity(const struct sandbox *sandbox, uint64_t now, uint64_t ttl,
    struct validity *ret, struct sbx_why *why)
{
	uint64_t after = now > ISSUE_BACKDATE ? now - ISSUE_BACKDATE : 0;
	uint64_t before = now + ttl;

	if (after < sandbox->issued_after)
		after = sandbox->issued_after;
	if (sandbox->expires_at != 0)
		before = smaller(before, sandbox->expires_at);
	/* The gate counts the whole span, the backdated part too. */
	before = smaller(before, after + CHECK_TTL_MAX);
	if (sandbox->expires_at != 0 && sandbox->expires_at <= now)
		return sbx_fail(why, SBX_STATE,
		    "by this machine's clock '%s' is at its end, but it has "
		    "not lived that long: the clock was set; see whether it "
		    "is right",
		    sandbox->id);
	if (before <= now || before <= after)
		return sbx_fail(why, SBX_STATE,
		    "the clock stands before the creation of '%s', or at its "
		    "end: no certificate would be valid",
		    sandbox->id);
	*ret = (struct validity){ after, before };
	return SBX_OK;
}

/* Write it down under a serial that nobody had; then it may be signed. */
static enum sbx_err
register_certificate(struct broker *b, const struct caller *caller,
    struct cert_request *request, char *key_id, size_t size,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_EXISTS;

	for (int i = 0; i < SERIAL_TRIES && err == SBX_EXISTS; i++) {
		struct certificate row = { .caller = caller->name,
			.key_id = key_id,
			.valid_after = request->valid_after,
			.valid_before = request->valid_before,
			.issued_at = b->now() };
		char serial[SIGNER_SERIAL_LEN];

		randombytes_buf(&row.serial, sizeof(row.serial));
		if (row.serial == 0)
			continue;
		(void)snprintf(
		    row.id, sizeof(row.id), "%s", request->principal);
		signer_put_serial(row.serial, serial);
		(void)snprintf(key_id, size, "%s/%s/%s", caller->name,
		    request->principal, serial);
		request->serial = row.serial;
		err = store_add_certificate(b->store, &row, why);
	}
	return err;
}

/* Each is a row on our disk, and a line in a log. */
static enum sbx_err
check_number(struct broker *b, struct issued *ret, struct sbx_why *why)
{
	uint64_t free_at = 0;
	char text[TEXT_TIME_LEN];
	enum sbx_err err = store_certificates_full(
	    b->store, ret->sandbox.id, b->now(), &free_at, why);

	if (err != SBX_OK || free_at == 0)
		return err;
	text_put_time(free_at, text);
	ret->too_many = true;
	return sbx_fail(why, SBX_REFUSED,
	    "sandbox %s has %d certificates that are still valid, the limit: "
	    "the first of them ends at %s",
	    ret->sandbox.id, STORE_CERTIFICATES_MAX, text);
}

static enum sbx_err
sign(struct broker *b, const struct caller *caller,
    const struct issue_wish *wish, struct issued *ret, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	cleanup_buf struct buf key_blob = BUF_INIT(KEY_BLOB_MAX);
	struct cert_request request = { .type = CERT_TYPE_USER,
		.principal = ret->sandbox.id,
		.permit = wish->permit,
		.single_use = wish->single_use };
	char key_id[STORE_OWNER_MAX + NAME_ID_MAX + SIGNER_SERIAL_LEN + 4];
	struct validity validity = { 0 };
	struct public_key key;
	enum sbx_err err =
	    key_parse_line(VIEW_STR(wish->public_key), &key_blob, &key);

	if (err != SBX_OK)
		return sbx_fail(
		    why, err, "\"public_key\": %s", sbx_err_text(err));
	err =
	    issue_validity(&ret->sandbox, b->now(), wish->ttl, &validity, why);
	if (err != SBX_OK)
		return err;
	request.public_key = key.blob;
	request.key_id = key_id;
	request.valid_after = validity.after;
	request.valid_before = validity.before;
	if (*wish->source_address != '\0')
		request.source_address = wish->source_address;
	if (*wish->force_command != '\0')
		request.force_command = wish->force_command;
	err = check_number(b, ret, why);
	if (err != SBX_OK)
		return err;
	err = register_certificate(
	    b, caller, &request, key_id, sizeof(key_id), why);
	if (err == SBX_OK)
		err = signer_sign(b->signer_fd, &request, &blob, why);
	if (err != SBX_OK)
		return err;
	ret->serial = request.serial;
	ret->valid_before = request.valid_before;
	ret->certificate = BUF_INIT(ISSUE_LINE_MAX);
	key_put_line(buf_view(&blob), NULL, &ret->certificate);
	return buf_error(&ret->certificate);
}

/* Somebody must be able to remember that it was used. */
static enum sbx_err
check_single_use(const struct sandbox *sandbox, const struct issue_wish *wish,
    struct sbx_why *why)
{
	if (!wish->single_use || sandbox->isolation == ISOLATION_NAMESPACES)
		return SBX_OK;
	return sbx_fail(why, SBX_STATE,
	    "sandbox %s has no isolation, so its login gate cannot enforce a "
	    "single use: ask without single_use",
	    sandbox->id);
}

static enum sbx_err
issue_in_turn(struct broker *b, const struct caller *caller, const char *id,
    const struct issue_wish *wish, struct issued *ret, struct sbx_why *why)
{
	struct sandbox *s = &ret->sandbox;
	enum sbx_err err = sandboxes_find(b, caller, id, ACCESS_SSH, s, why);

	if (err == SBX_OK)
		err = sandboxes_reconcile(b, s, why);
	if (err == SBX_OK)
		err = check_single_use(s, wish, why);
	if (err == SBX_OK)
		err = access_isolation(b->settings, caller, s->isolation, why);
	if (err == SBX_OK)
		err = provider_call_credentials(
		    b->provider_fd, s->provider, s->id, &ret->access, why);
	return err != SBX_OK ? err : sign(b, caller, wish, ret, why);
}

enum sbx_err
issue_ssh(struct broker *b, const struct caller *caller, const char *id,
    const struct issue_wish *wish, struct issued *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_SSH, &ret->sandbox, why);

	/* Held to the end, so that no certificate outlives a deletion. */
	if (err == SBX_OK)
		err = turn_take(b->turns, id, why);
	if (err != SBX_OK)
		return err;
	err = issue_in_turn(b, caller, id, wish, ret, why);
	turn_give(b->turns, id);
	return err;
}
