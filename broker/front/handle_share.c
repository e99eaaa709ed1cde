/* SPDX-License-Identifier: ISC */
#include "broker/front/handlers.h"

#include "broker/front/body.h"
#include "broker/life/shares.h"

#define WITH_MAX 128

struct share_body {
	char with[WITH_MAX];
	char verb[ACCESS_VERB_COUNT][32];
	size_t verb_count;
};

static const struct reply_field share_fields[] = {
	{ "with", REPLY_TEXT, false, offsetof(struct share_body, with),
	    WITH_MAX, 0, 0 },
	{ "verbs", REPLY_TEXTS, true, offsetof(struct share_body, verb), 32,
	    ACCESS_VERB_COUNT, offsetof(struct share_body, verb_count) },
};

static const struct body_table share_table = { share_fields, 2, NULL };
static const struct body_table unshare_table = { share_fields, 1, NULL };

/* All that can be shared, unless the member says which. */
static enum sbx_err
verbs_of(const struct share_body *body, unsigned *ret, struct sbx_why *why)
{
	char all[STORE_VERBS_MAX];

	*ret = body->verb_count == SIZE_MAX ? access_shared : 0;
	if (body->verb_count == SIZE_MAX)
		return SBX_OK;
	for (size_t i = 0; i < body->verb_count; i++) {
		enum access_verb verb;

		access_put_verbs(access_shared, all);
		if (!access_find_verb(VIEW_STR(body->verb[i]), &verb) ||
		    (ACCESS_BIT(verb) & access_shared) == 0)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "\"verbs\": '%s' cannot be shared: these can: %s",
			    body->verb[i], all);
		*ret |= ACCESS_BIT(verb);
	}
	if (*ret != 0)
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "\"verbs\" is empty: to share no more, unshare");
}

enum sbx_err
handle_share(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct share_body body = { .verb_count = SIZE_MAX };
	struct sandbox sandbox;
	unsigned verbs = 0;
	enum sbx_err err =
	    body_read(call->body, &share_table, &body, NULL, NULL, why);

	if (err == SBX_OK)
		err = verbs_of(&body, &verbs, why);
	if (err == SBX_OK)
		err = shares_put(
		    b, &call->caller, id, body.with, verbs, &sandbox, why);
	return err != SBX_OK ? err : answer_shared(b, ret, &sandbox, why);
}

enum sbx_err
handle_unshare(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct share_body body = { .verb_count = 0 };
	struct sandbox sandbox;
	enum sbx_err err =
	    body_read(call->body, &unshare_table, &body, NULL, NULL, why);

	if (err == SBX_OK)
		err = shares_remove(
		    b, &call->caller, id, body.with, &sandbox, why);
	return err != SBX_OK ? err : answer_shared(b, ret, &sandbox, why);
}

enum sbx_err
answer_shared(struct broker *b, struct answer *ret,
    const struct sandbox *sandbox, struct sbx_why *why)
{
	struct share shares[STORE_SHARES_MAX];
	size_t count;
	enum sbx_err err =
	    store_shares(b->store, sandbox->id, shares, &count, why);

	if (err == SBX_OK)
		err = answer_sandbox(ret, 200, sandbox);
	if (err == SBX_OK)
		answer_put_shares(ret->body, shares, count);
	return err;
}
