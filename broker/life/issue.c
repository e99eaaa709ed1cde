/* SPDX-License-Identifier: ISC */
#include "broker/life/issue.h"

#include <string.h>

#include "broker/helper/provider_call.h"
#include "broker/helper/signer.h"
#include "broker/life/known.h"
#include "broker/life/events.h"
#include "certs/check.h"
#include "common/cleanup.h"
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

/* Guests leave some to their host. */
#define SPARE (STORE_CERTIFICATES_MAX / 2)

static uint64_t
spare(const struct sandbox *s)
{
	return s->verbs == ACCESS_ALL ? 0 : SPARE;
}

/* Each is a row on our disk, and a line in a log. */
static enum sbx_err
refuse_more(const struct sandbox *s, uint64_t free_at, struct sbx_why *why)
{
	char text[TEXT_TIME_LEN];

	text_put_time(free_at, text);
	return sbx_fail(why, SBX_REFUSED,
	    "sandbox %s has %llu certificates that are still valid, the limit: "
	    "the first of them ends at %s",
	    s->id, (unsigned long long)(STORE_CERTIFICATES_MAX - spare(s)),
	    text);
}

/*
 * Never the same, also by a broker that has forgotten the earlier ones; and
 * one after the other in the database, where those that are written together
 * so lie together.
 */
static uint64_t
new_serial(uint64_t now)
{
	return now << 32 | randombytes_random();
}

static void
begin_event(struct event *ret, const struct broker *b, const struct sandbox *s,
    const struct caller *caller, const struct cert_request *request,
    const char *serial)
{
	char ends[TEXT_TIME_LEN], detail[EVENT_DETAIL_MAX];

	text_put_time(request->valid_before, ends);
	(void)snprintf(detail, sizeof(detail), "serial %s until %s%s%s%s",
	    serial, ends, request->single_use ? ", single use" : "",
	    request->source_address != NULL ? ", source address" : "",
	    request->force_command != NULL ? ", forced command" : "");
	event_begin(ret, b, EVENT_CERTIFICATE, s, "ssh", caller->name);
	event_set_detail(ret, detail);
}

/* Write it down under a serial that nobody had; then it may be signed. */
static enum sbx_err
register_certificate(struct broker *b, const struct caller *caller,
    struct cert_request *request, struct issued *ret, char *key_id, size_t size,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_EXISTS;
	uint64_t free_at = 0;
	struct event event;

	for (int i = 0; i < SERIAL_TRIES && err == SBX_EXISTS; i++) {
		struct certificate row = { .caller = caller->name,
			.key_id = key_id,
			.valid_after = request->valid_after,
			.valid_before = request->valid_before,
			.issued_at = b->now(),
			.spare = spare(&ret->sandbox) };
		char serial[SIGNER_SERIAL_LEN];

		row.serial = new_serial(row.issued_at);
		(void)snprintf(
		    row.id, sizeof(row.id), "%s", request->principal);
		signer_put_serial(row.serial, serial);
		(void)snprintf(key_id, size, "%s/%s/%s", caller->name,
		    request->principal, serial);
		request->serial = row.serial;
		begin_event(&event, b, &ret->sandbox, caller, request, serial);
		err = store_add_certificate(
		    b->store, &row, &event, &free_at, why);
	}
	if (err == SBX_OK)
		event_tell(b, &event, caller);
	ret->too_many = free_at != 0;
	return ret->too_many ? refuse_more(&ret->sandbox, free_at, why) : err;
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
	err = register_certificate(
	    b, caller, &request, ret, key_id, sizeof(key_id), why);
	if (err == SBX_OK)
		err = signer_sign(&b->signer, &request, &blob, why);
	if (err != SBX_OK)
		return err;
	ret->serial = request.serial;
	ret->valid_before = request.valid_before;
	ret->certificate = BUF_INIT(ISSUE_LINE_MAX);
	key_put_line(buf_view(&blob), NULL, &ret->certificate);
	return buf_error(&ret->certificate);
}

/* A token that is shared: as it is, for as long as was asked for. */
static enum sbx_err
lend(struct broker *b, const struct issue_wish *wish, struct issued *ret,
    struct sbx_why *why)
{
	const struct sandbox *s = &ret->sandbox;

	if (wish->permit != PERMIT_DEFAULT || *wish->source_address != '\0' ||
	    *wish->force_command != '\0')
		return sbx_fail(why, SBX_STATE,
		    "%s is entered by a token of %s's, which cannot be "
		    "limited: ask without limits",
		    s->id, s->provider);
	ret->valid_before =
	    smaller(ret->access.expires_at, b->now() + wish->ttl);
	if (s->expires_at != 0)
		ret->valid_before = smaller(ret->valid_before, s->expires_at);
	return SBX_OK;
}

/* Somebody must be able to remember that it was used. */
static enum sbx_err
check_single_use(const struct sandbox *sandbox, const struct issue_wish *wish,
    struct sbx_why *why)
{
	if (!wish->single_use || sandbox->isolation == ISOLATION_NAMESPACES)
		return SBX_OK;
	return sbx_fail(why, SBX_STATE,
	    "sandbox %s %s cannot enforce a single use: ask without single_use",
	    sandbox->id,
	    sandbox->isolation == ISOLATION_NONE
		? "has no isolation, so its login gate"
		: "is entered by its platform's gateway, which");
}

/* The sandbox as it stands, and what its provider told, if that still holds. */
static enum sbx_err
recall(struct broker *b, const struct caller *caller, const char *id,
    struct issued *ret, bool *ret_known, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_SSH, &ret->sandbox, why);

	*ret_known = err == SBX_OK &&
	    known_recall(b->known, &ret->sandbox, &ret->access);
	return err;
}

/* For whoever has the turn alone. */
static enum sbx_err
ask_provider(struct broker *b, const struct issue_wish *wish,
    struct issued *ret, struct sbx_why *why)
{
	struct sandbox *s = &ret->sandbox;
	cleanup_close int watch = -1;
	enum sbx_err err = sandboxes_reconcile(b, s, why);

	if (err == SBX_OK)
		err = provider_call_credentials(b->provider_fd, s->provider,
		    s->id, wish->refused_user, &ret->access, &watch, why);
	if (err == SBX_OK)
		known_keep(b->known, s, &ret->access, steal_fd(&watch));
	return err;
}

/*
 * The turn, shared with others.  Who has to wait for it must have something
 * to do with the sandbox.
 */
static enum sbx_err
share_turn(struct broker *b, const struct caller *caller, const char *id,
    struct issued *ret, struct sbx_why *why)
{
	enum sbx_err err;

	if (turn_try_share(b->turns, id))
		return SBX_OK;
	err = sandboxes_find(b, caller, id, ACCESS_SSH, &ret->sandbox, why);
	return err != SBX_OK ? err : turn_share(b->turns, id, why);
}

/*
 * With a turn that is shared, or one that is nobody else's if the provider
 * must be asked.  Not held after an error.
 */
static enum sbx_err
look_up(struct broker *b, const struct caller *caller, const char *id,
    const struct issue_wish *wish, struct issued *ret, struct sbx_why *why)
{
	bool known = false;
	enum sbx_err err = share_turn(b, caller, id, ret, why);

	if (err != SBX_OK)
		return err;
	err = recall(b, caller, id, ret, &known, why);
	if (err == SBX_OK && known)
		return SBX_OK;
	turn_give(b->turns, id);
	if (err == SBX_OK)
		err = turn_take(b->turns, id, why);
	if (err != SBX_OK)
		return err;
	err = recall(b, caller, id, ret, &known, why);
	if (err == SBX_OK && !known)
		err = ask_provider(b, wish, ret, why);
	if (err != SBX_OK)
		turn_give(b->turns, id);
	return err;
}

enum sbx_err
issue_ssh(struct broker *b, const struct caller *caller, const char *id,
    const struct issue_wish *wish, struct issued *ret, struct sbx_why *why)
{
	/* Held to the end, so that no certificate outlives a deletion. */
	enum sbx_err err = look_up(b, caller, id, wish, ret, why);

	if (err != SBX_OK)
		return err;
	err = check_single_use(&ret->sandbox, wish, why);
	if (err == SBX_OK)
		err = access_isolation(
		    b->settings, caller, ret->sandbox.isolation, why);
	if (err == SBX_OK)
		err = ret->access.expires_at != 0
		    ? lend(b, wish, ret, why)
		    : sign(b, caller, wish, ret, why);
	turn_give(b->turns, id);
	return err;
}
