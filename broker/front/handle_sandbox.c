/* SPDX-License-Identifier: ISC */
#include "broker/front/handlers.h"

#include <string.h>

#include "broker/front/body.h"
#include "broker/life/terms.h"
#include "common/cleanup.h"
#include "common/limits.h"

#define START_WAIT_MAX 300
#define LIST_LIMIT_DEFAULT 100
#define SHOW_CERTIFICATES 20

enum sbx_err
handle_list(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	const char *state = call_query(call, "state");
	const char *label = call_query(call, "label");
	const char *cursor = call_query(call, "cursor");
	struct store_filter filter = { .state = -1, .after = "" };
	struct sandbox *rows = NULL;
	enum sandbox_state wanted;
	struct json_object *items;
	struct label pair;
	size_t count = 0;
	uint64_t limit;
	enum sbx_err err = call_query_uint(
	    call, "limit", 1, STORE_PAGE_MAX, LIST_LIMIT_DEFAULT, &limit, why);

	(void)id;
	if (err == SBX_OK && label != NULL)
		err = label_parse(label, &pair, why);
	if (err == SBX_OK && cursor != NULL && *cursor != '\0')
		err = name_check_id(cursor, why);
	if (err != SBX_OK)
		return err;
	if (state != NULL &&
	    (!sandbox_state_find(state, &wanted) || wanted == SANDBOX_DELETING))
		return sbx_fail(
		    why, SBX_BAD_VALUE, "state=%.80s is not a state", state);
	if (state != NULL)
		filter.state = (int)wanted;
	if (label != NULL) {
		filter.label_key = pair.key;
		filter.label_value = pair.value;
	}
	if (cursor != NULL)
		filter.after = cursor;
	filter.provider = call_query(call, "provider");
	if (filter.provider != NULL && provider_find(filter.provider) == NULL)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "provider=%.80s is not a provider", filter.provider);
	filter.limit = limit;
	err = sandboxes_list(b, &call->caller, filter, &rows, &count, why);
	if (err != SBX_OK)
		return err;
	items = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		/* It may have changed since the store was asked. */
		if (rows[i].verbs != 0 &&
		    (state == NULL || rows[i].state == wanted))
			(void)json_object_array_add(
			    items, answer_json(&rows[i]));
	}
	ret->status = 200;
	ret->body = json_object_new_object();
	(void)json_object_object_add(ret->body, "items", items);
	answer_put_text(
	    ret->body, "next_cursor", count == limit ? rows[count - 1].id : "");
	free(rows);
	return SBX_OK;
}

struct create_body {
	char id[NAME_ID_MAX + 1];
	char provider[NAME_ID_MAX + 1];
	char timeout[32];
	char auto_stop[32];
	bool ephemeral;
	bool session;
	char root[PATHS_MAX];
	char network[16];
	size_t allow_count;
	char allow[PROVIDER_ALLOW_MAX][PROVIDER_ALLOW_LEN];
};

#define CREATE(name) offsetof(struct create_body, name)
#define CREATE_TEXT(name)                                            \
	{                                                            \
#name, REPLY_TEXT, true, CREATE(name),               \
		    sizeof(((struct create_body *)NULL)->name), 0, 0 \
	}

static const struct reply_field create_fields[] = {
	CREATE_TEXT(id),
	CREATE_TEXT(provider),
	CREATE_TEXT(timeout),
	CREATE_TEXT(root),
	CREATE_TEXT(auto_stop),
	CREATE_TEXT(network),
	{ "allow", REPLY_TEXTS, true, CREATE(allow), PROVIDER_ALLOW_LEN,
	    PROVIDER_ALLOW_MAX, CREATE(allow_count) },
	{ "ephemeral", REPLY_BOOL, true, CREATE(ephemeral), 0, 0, 0 },
	{ "session", REPLY_BOOL, true, CREATE(session), 0, 0, 0 },
};

static const struct body_table create_table = { create_fields,
	sizeof(create_fields) / sizeof(create_fields[0]), "labels" };

/* "timeout": "session" says both: so, and no other end. */
static enum sbx_err
take_stream(
    const struct call *call, struct create_body *body, struct sbx_why *why)
{
	if (strcmp(body->timeout, "session") == 0) {
		body->session = true;
		body->timeout[0] = '\0';
	}
	if (!body->session ||
	    (call->take_stream != NULL && call->take_stream(call->context)))
		return SBX_OK;
	return sbx_fail(why, SBX_REFUSED,
	    "%s has too many sandboxes that end with the connection that made "
	    "them: wait for one to end, or give a timeout",
	    call->caller.name);
}

static enum sbx_err
take_network(const struct create_body *body, struct provider_network *ret,
    struct sbx_why *why)
{
	ret->full = strcmp(body->network, "full") == 0;
	ret->allow_count = body->allow_count;
	memcpy(ret->allow, body->allow, sizeof(ret->allow));
	if (!ret->full && *body->network != '\0' &&
	    strcmp(body->network, "none") != 0)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "\"network\" is '%s', neither none nor full",
		    body->network);
	if (!ret->full && ret->allow_count > 0)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "\"allow\" is for \"network\": \"full\"");
	return SBX_OK;
}

enum sbx_err
handle_create(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct create_body body = { .provider = PROVIDER_DEFAULT };
	struct sandbox_wish wish = { 0 };
	struct sandbox sandbox;
	enum sbx_err err = body_read(call->body, &create_table, &body,
	    wish.label, &wish.label_count, why);

	(void)id;
	if (err == SBX_OK)
		err = take_stream(call, &body, why);
	if (err == SBX_REFUSED)
		ret->status = 429;
	if (err == SBX_OK && *body.timeout != '\0')
		err = body_duration("timeout", body.timeout, LIMITS_LIFE_MAX,
		    &wish.lifetime, why);
	if (err == SBX_OK && *body.root != '\0' && *body.root != '/')
		err = sbx_fail(why, SBX_BAD_VALUE,
		    "\"root\" is '%.80s', not an absolute path", body.root);
	wish.auto_stop = b->settings->auto_stop;
	if (err == SBX_OK && *body.auto_stop != '\0')
		err = body_pause("auto_stop", body.auto_stop, LIMITS_LIFE_MAX,
		    &wish.auto_stop, why);
	if (err == SBX_OK)
		err = take_network(&body, &wish.network, why);
	if (err != SBX_OK)
		return err;
	memcpy(wish.id, body.id, sizeof(wish.id));
	memcpy(wish.provider, body.provider, sizeof(wish.provider));
	wish.ephemeral = body.ephemeral;
	wish.tied = body.session;
	memcpy(wish.root, body.root, sizeof(wish.root));
	err = sandboxes_create(b, &call->caller, &wish, &sandbox, why);
	if (err == SBX_OK && sandbox.tied) {
		memcpy(ret->tied, sandbox.id, sizeof(ret->tied));
		ret->incarnation = sandbox.incarnation;
	}
	return err != SBX_OK ? err : answer_sandbox(ret, 201, &sandbox);
}

enum sbx_err
handle_show(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	cleanup_free struct provider_sessions *sessions =
	    calloc(1, sizeof(*sessions));
	struct store_live live[SHOW_CERTIFICATES];
	struct sandbox sandbox;
	struct provider_usage usage;
	const char *provider = call_query(call, "provider");
	uint64_t all = 0;
	bool host;
	enum sbx_err err = sandboxes_show(b, &call->caller, id,
	    provider == NULL ? "" : provider, &sandbox, why);

	if (err == SBX_OK && sessions == NULL)
		err = SBX_NOMEM;
	if (err == SBX_OK)
		err = store_live_certificates(
		    b->store, id, b->now(), live, SHOW_CERTIFICATES, &all, why);
	if (err != SBX_OK)
		return err;
	/* Who else has what is between them and its owner. */
	host = (sandbox.verbs & ACCESS_BIT(ACCESS_SHARE)) != 0;
	err = host ? answer_shared(b, ret, &sandbox, why)
		   : answer_sandbox(ret, 200, &sandbox);
	if (err != SBX_OK)
		return err;
	usage = sandboxes_usage(b, &sandbox);
	answer_put_limits(ret->body, &usage);
	sandboxes_sessions(b, &sandbox, sessions);
	answer_put_sessions(ret->body, &sandbox, sessions, b->now());
	if (host)
		answer_put_certificates(
		    ret->body, live, SHOW_CERTIFICATES, all);
	return SBX_OK;
}

struct change_body {
	char timeout[32];
	char auto_stop[32];
	bool session;
};

static const struct reply_field change_fields[] = {
	{ "timeout", REPLY_TEXT, true, offsetof(struct change_body, timeout),
	    sizeof(((struct change_body *)NULL)->timeout), 0, 0 },
	{ "auto_stop", REPLY_TEXT, true,
	    offsetof(struct change_body, auto_stop),
	    sizeof(((struct change_body *)NULL)->auto_stop), 0, 0 },
	{ "session", REPLY_BOOL, true, offsetof(struct change_body, session), 0,
	    0, 0 },
};

static const struct body_table change_table = { change_fields,
	sizeof(change_fields) / sizeof(change_fields[0]), NULL };

static enum sbx_err
read_terms(const struct call *call, struct terms *ret, struct sbx_why *why)
{
	struct change_body body = { .timeout = "" };
	struct change_body other = { .session = true };
	enum sbx_err err =
	    body_read(call->body, &change_table, &body, NULL, NULL, why);

	/* Was it said? */
	if (err == SBX_OK)
		err = body_read(
		    call->body, &change_table, &other, NULL, NULL, why);
	if (err == SBX_OK && body.session)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "\"session\" can be given when a sandbox is made; later it "
		    "can become false");
	ret->untie = !other.session;
	ret->stops = *body.auto_stop != '\0';
	if (err == SBX_OK && *body.timeout != '\0')
		err = body_duration("timeout", body.timeout, LIMITS_LIFE_MAX,
		    &ret->timeout, why);
	if (err == SBX_OK && ret->stops)
		err = body_pause("auto_stop", body.auto_stop, LIMITS_LIFE_MAX,
		    &ret->auto_stop, why);
	if (err == SBX_OK && ret->timeout == 0 && !ret->untie && !ret->stops)
		return sbx_fail(why, SBX_BAD_VALUE, "nothing is to change");
	return err;
}

enum sbx_err
handle_change(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct terms terms = { 0 };
	struct sandbox sandbox;
	enum sbx_err err = read_terms(call, &terms, why);

	if (err == SBX_OK)
		err = terms_change(b, &call->caller, id, &terms, &sandbox, why);
	return err != SBX_OK ? err : answer_sandbox(ret, 200, &sandbox);
}

enum sbx_err
handle_delete(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	ret->status = 204;
	return sandboxes_delete(b, &call->caller, id, why);
}

/* One member that is true or false, or not there. */
static enum sbx_err
read_flag(
    const struct call *call, const char *name, bool *ret, struct sbx_why *why)
{
	const struct reply_field field = { name, REPLY_BOOL, true, 0, 0, 0, 0 };
	const struct body_table table = { &field, 1, NULL };

	*ret = false;
	return body_read(call->body, &table, ret, NULL, NULL, why);
}

enum sbx_err
handle_start(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct sandbox sandbox;
	uint64_t wait;
	bool wake;
	enum sbx_err err =
	    call_query_uint(call, "wait", 0, START_WAIT_MAX, 0, &wait, why);

	if (err == SBX_OK)
		err = read_flag(call, "wake", &wake, why);
	if (err == SBX_OK)
		err = sandboxes_start(
		    b, &call->caller, id, wake, (unsigned)wait, &sandbox, why);
	if (err != SBX_OK)
		return err;
	return answer_sandbox(
	    ret, sandbox.state == SANDBOX_RUNNING ? 200 : 202, &sandbox);
}

enum sbx_err
handle_stop(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct sandbox sandbox;
	bool hold;
	enum sbx_err err = read_flag(call, "hold", &hold, why);

	if (err == SBX_OK)
		err = sandboxes_stop(b, &call->caller, id, hold, &sandbox, why);
	return err != SBX_OK ? err : answer_sandbox(ret, 200, &sandbox);
}
