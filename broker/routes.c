#include "broker/routes.h"

#include <string.h>

#include "broker/body.h"
#include "broker/issue.h"
#include "broker/signer.h"
#include "certs/check.h"
#include "common/limits.h"
#include "common/text.h"

#define START_WAIT_MAX 300
#define LIST_LIMIT_DEFAULT 100
#define PERMIT_WORDS_MAX 16

#define NO_ISOLATION_NOTICE                                                  \
	"THIS SANDBOX IS NOT ISOLATED: it is a plain process of the host, "  \
	"because namespaces are forbidden here or isolation = none is set. " \
	"Run nothing in it that you would not run on the host itself."

/*
 * JSON.
 */

static void
put_text(struct json_object *o, const char *name, const char *text)
{
	(void)json_object_object_add(o, name, json_object_new_string(text));
}

static void
put_u64(struct json_object *o, const char *name, uint64_t value)
{
	(void)json_object_object_add(o, name, json_object_new_uint64(value));
}

/* Which it is only its provider knows, once it has made it. */
static const char *
isolation_name(const struct sandbox *s)
{
	if (s->state == SANDBOX_CREATING)
		return "unknown";
	return s->isolation == ISOLATION_NAMESPACES ? "namespaces" : "none";
}

static struct json_object *
json_of_sandbox(const struct sandbox *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *labels = json_object_new_object();

	put_text(o, "id", s->id);
	put_text(o, "provider", s->provider);
	put_text(o, "state", sandbox_state_name(s->state));
	put_text(o, "isolation", isolation_name(s));
	if (s->isolation == ISOLATION_NONE && s->state != SANDBOX_CREATING)
		put_text(o, "notice", NO_ISOLATION_NOTICE);
	put_text(o, "owner", s->owner);
	put_u64(o, "created_at", s->created_at);
	put_u64(o, "expires_at", s->expires_at);
	for (size_t i = 0; i < s->label_count; i++)
		put_text(labels, s->label[i].key, s->label[i].value);
	(void)json_object_object_add(o, "labels", labels);
	return o;
}

static struct json_object *
json_of_lines(const char (*lines)[PROVIDER_LINE], size_t count)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		(void)json_object_array_add(
		    a, json_object_new_string(lines[i]));
	return a;
}

static enum sbx_err
answer_sandbox(struct answer *ret, unsigned status, const struct sandbox *s)
{
	ret->status = status;
	ret->body = json_of_sandbox(s);
	return SBX_OK;
}

/*
 * Parameters of the query.
 */

static const char *
query_of(const struct call *call, const char *name)
{
	for (size_t i = 0; i < call->query_count; i++) {
		if (strcmp(call->query[i].name, name) == 0)
			return call->query[i].value;
	}
	return NULL;
}

static enum sbx_err
query_uint(const struct call *call, const char *name, uint64_t min,
    uint64_t max, uint64_t fallback, uint64_t *ret, struct sbx_why *why)
{
	const char *text = query_of(call, name);

	*ret = fallback;
	if (text == NULL || text_uint(text, min, max, ret) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s=%.80s is not a number from %llu to %llu", name, text,
	    (unsigned long long)min, (unsigned long long)max);
}

static bool
is_word_of(const char *words, const char *word)
{
	struct view cursor = VIEW_STR(words), found;

	while (text_next_word(&cursor, &found)) {
		if (view_eq_str(found, word))
			return true;
	}
	return false;
}

/* Each at most once, and only those that the route knows. */
static enum sbx_err
check_query(
    const struct route *route, const struct call *call, struct sbx_why *why)
{
	for (size_t i = 0; i < call->query_count; i++) {
		const char *name = call->query[i].name;

		if (!is_word_of(route->query, name))
			return sbx_fail(why, SBX_BAD_VALUE,
			    "unknown parameter '%s' in the query", name);
		if (query_of(call, name) != call->query[i].value)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "parameter '%s' stands twice in the query", name);
	}
	return SBX_OK;
}

/*
 * Handlers, in the order of the table.
 */

static enum sbx_err
get_health(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	(void)call, (void)id, (void)why;
	ret->status = 200;
	ret->body = json_object_new_object();
	put_text(ret->body, "status", "ok");
	put_text(ret->body, "version", PACKAGE_VERSION);
	put_u64(ret->body, "time", b->now());
	return SBX_OK;
}

static enum sbx_err
get_ca(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct json_object *keys = json_object_new_array();

	(void)call, (void)id, (void)why;
	(void)json_object_array_add(keys, json_object_new_string(b->ca_line));
	ret->status = 200;
	ret->body = json_object_new_object();
	(void)json_object_object_add(ret->body, "public_keys", keys);
	return SBX_OK;
}

static enum sbx_err
get_sandboxes(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	const char *state = query_of(call, "state");
	const char *label = query_of(call, "label");
	const char *cursor = query_of(call, "cursor");
	struct store_filter filter = { .state = -1, .after = "" };
	struct sandbox *rows = NULL;
	enum sandbox_state wanted;
	struct json_object *items;
	struct label pair;
	size_t count = 0;
	uint64_t limit;
	enum sbx_err err = query_uint(
	    call, "limit", 1, STORE_PAGE_MAX, LIST_LIMIT_DEFAULT, &limit, why);

	(void)id;
	if (err == SBX_OK && label != NULL)
		err = label_parse(label, &pair, why);
	if (err == SBX_OK && cursor != NULL && *cursor != '\0')
		err = name_check_id(cursor, why);
	if (err != SBX_OK)
		return err;
	if (state != NULL && !sandbox_state_find(state, &wanted))
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
	filter.limit = limit;
	err = sandboxes_list(b, &call->caller, filter, &rows, &count, why);
	if (err != SBX_OK)
		return err;
	items = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		/* It may have changed since the store was asked. */
		if (state == NULL || rows[i].state == wanted)
			(void)json_object_array_add(
			    items, json_of_sandbox(&rows[i]));
	}
	ret->status = 200;
	ret->body = json_object_new_object();
	(void)json_object_object_add(ret->body, "items", items);
	put_text(
	    ret->body, "next_cursor", count == limit ? rows[count - 1].id : "");
	free(rows);
	return SBX_OK;
}

struct create_body {
	char id[NAME_ID_MAX + 1];
	char provider[NAME_ID_MAX + 1];
	char timeout[32];
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
};

static const struct body_table create_table = { create_fields,
	sizeof(create_fields) / sizeof(create_fields[0]), "labels" };

static enum sbx_err
duration_of(const char *name, const char *text, uint64_t max, uint64_t *ret,
    struct sbx_why *why)
{
	const struct field field = { .name = name, .min = 1, .max = max };

	return field_duration(&field, text, ret, why);
}

static enum sbx_err
post_sandboxes(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct create_body body = { .provider = PROVIDER_DEFAULT };
	struct sandbox_wish wish = { 0 };
	struct sandbox sandbox;
	enum sbx_err err = body_read(call->body, &create_table, &body,
	    wish.label, &wish.label_count, why);

	(void)id;
	if (err == SBX_OK && strcmp(body.timeout, "session") == 0)
		return sbx_fail(why, SBX_USAGE,
		    "\"timeout\": \"session\" is not possible with provider "
		    "'%s': give a duration like \"60m\"",
		    body.provider);
	if (err == SBX_OK && *body.timeout != '\0')
		err = duration_of("timeout", body.timeout, LIMITS_LIFE_MAX,
		    &wish.lifetime, why);
	if (err != SBX_OK)
		return err;
	memcpy(wish.id, body.id, sizeof(wish.id));
	memcpy(wish.provider, body.provider, sizeof(wish.provider));
	err = sandboxes_create(b, &call->caller, &wish, &sandbox, why);
	return err != SBX_OK ? err : answer_sandbox(ret, 201, &sandbox);
}

static enum sbx_err
get_sandbox(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct sandbox sandbox;
	enum sbx_err err = sandboxes_show(b, &call->caller, id, &sandbox, why);

	return err != SBX_OK ? err : answer_sandbox(ret, 200, &sandbox);
}

static enum sbx_err
delete_sandbox(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	ret->status = 204;
	return sandboxes_delete(b, &call->caller, id, why);
}

static enum sbx_err
post_start(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct sandbox sandbox;
	uint64_t wait;
	enum sbx_err err =
	    query_uint(call, "wait", 0, START_WAIT_MAX, 0, &wait, why);

	if (err == SBX_OK)
		err = sandboxes_start(
		    b, &call->caller, id, (unsigned)wait, &sandbox, why);
	if (err != SBX_OK)
		return err;
	return answer_sandbox(
	    ret, sandbox.state == SANDBOX_RUNNING ? 200 : 202, &sandbox);
}

static enum sbx_err
post_stop(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct sandbox sandbox;
	enum sbx_err err = sandboxes_stop(b, &call->caller, id, &sandbox, why);

	return err != SBX_OK ? err : answer_sandbox(ret, 200, &sandbox);
}

struct ssh_body {
	char public_key[sizeof(((struct issue_wish *)NULL)->public_key)];
	char ttl[32];
	char permit[PERMIT_WORDS_MAX][32];
	size_t permit_count;
	bool single_use;
	char source_address[ISSUE_SOURCE_MAX];
	char force_command[ISSUE_COMMAND_MAX];
};

#define SSH(name) offsetof(struct ssh_body, name)
#define SSH_TEXT(name, optional)                                  \
	{                                                         \
#name, REPLY_TEXT, optional, SSH(name),           \
		    sizeof(((struct ssh_body *)NULL)->name), 0, 0 \
	}

static const struct reply_field ssh_fields[] = {
	SSH_TEXT(public_key, false),
	SSH_TEXT(ttl, true),
	{ "permit", REPLY_TEXTS, true, SSH(permit), 32, PERMIT_WORDS_MAX,
	    SSH(permit_count) },
	{ "single_use", REPLY_BOOL, true, SSH(single_use), 0, 0, 0 },
	SSH_TEXT(source_address, true),
	SSH_TEXT(force_command, true),
};

static const struct body_table ssh_table = { ssh_fields,
	sizeof(ssh_fields) / sizeof(ssh_fields[0]), NULL };

/* permit_count SIZE_MAX: the member was not there. */
static enum sbx_err
permit_of(const struct ssh_body *body, unsigned *ret, struct sbx_why *why)
{
	*ret = body->permit_count == SIZE_MAX ? PERMIT_DEFAULT : 0;
	if (body->permit_count == SIZE_MAX)
		return SBX_OK;
	for (size_t i = 0; i < body->permit_count; i++) {
		unsigned bit = permit_of_word(body->permit[i]);

		if (bit == 0)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "\"permit\": '%s' cannot be permitted",
			    body->permit[i]);
		*ret |= bit;
	}
	return SBX_OK;
}

static enum sbx_err
read_ssh_wish(const struct broker *b, const struct call *call,
    struct issue_wish *ret, struct sbx_why *why)
{
	struct ssh_body body = { .permit_count = SIZE_MAX };
	enum sbx_err err =
	    body_read(call->body, &ssh_table, &body, NULL, NULL, why);

	if (err == SBX_OK)
		err = permit_of(&body, &ret->permit, why);
	if (err != SBX_OK)
		return err;
	ret->ttl = ISSUE_TTL_DEFAULT < b->settings->max_ttl
	    ? ISSUE_TTL_DEFAULT
	    : b->settings->max_ttl;
	if (*body.ttl != '\0')
		err = duration_of(
		    "ttl", body.ttl, b->settings->max_ttl, &ret->ttl, why);
	ret->single_use = body.single_use;
	memcpy(ret->public_key, body.public_key, sizeof(ret->public_key));
	memcpy(ret->source_address, body.source_address,
	    sizeof(ret->source_address));
	memcpy(
	    ret->force_command, body.force_command, sizeof(ret->force_command));
	return err;
}

static struct json_object *
json_of_issued(const struct issued *issued)
{
	const struct sandbox *s = &issued->sandbox;
	const struct provider_access *access = &issued->access;
	struct json_object *o = json_object_new_object();
	char serial[SIGNER_SERIAL_LEN];

	signer_put_serial(issued->serial, serial);
	put_text(o, "id", s->id);
	put_text(o, "state", sandbox_state_name(s->state));
	put_text(o, "user", access->user);
	put_text(o, "isolation", isolation_name(s));
	put_text(o, "certificate", buf_text(&issued->certificate));
	put_text(o, "serial", serial);
	put_u64(o, "expires_at", issued->valid_before);
	(void)json_object_object_add(o, "host_keys",
	    json_of_lines(access->host_key, access->host_key_count));
	(void)json_object_object_add(o, "endpoints",
	    json_of_lines(access->endpoint, access->endpoint_count));
	return o;
}

static enum sbx_err
post_ssh(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct issue_wish wish = { 0 };
	struct issued issued = { 0 };
	enum sbx_err err = read_ssh_wish(b, call, &wish, why);

	if (err == SBX_OK)
		err = issue_ssh(b, &call->caller, id, &wish, &issued, why);
	if (issued.too_many)
		ret->status = 429;
	if (err == SBX_OK) {
		ret->status = 200;
		ret->body = json_of_issued(&issued);
	}
	buf_free(&issued.certificate);
	return err;
}

const struct route routes[] = {
	{ "GET", "/v1/health", "", get_health },
	{ "GET", "/v1/ca", "", get_ca },
	{ "GET", "/v1/sandboxes", "state label cursor limit", get_sandboxes },
	{ "POST", "/v1/sandboxes", "", post_sandboxes },
	{ "GET", "/v1/sandboxes/{id}", "", get_sandbox },
	{ "DELETE", "/v1/sandboxes/{id}", "", delete_sandbox },
	{ "POST", "/v1/sandboxes/{id}/start", "wait", post_start },
	{ "POST", "/v1/sandboxes/{id}/stop", "", post_stop },
	{ "POST", "/v1/sandboxes/{id}/ssh", "", post_ssh },
};

const size_t route_count = sizeof(routes) / sizeof(routes[0]);

/*
 * Finding and answering.
 */

/* The id is not judged yet; one that is too long stays so when it is cut. */
static bool
path_fits(
    const char *pattern, const char *path, char ret_id[static ROUTE_ID_SIZE])
{
	const char *hole = strstr(pattern, "{id}");
	size_t before, len;

	ret_id[0] = '\0';
	if (hole == NULL)
		return strcmp(pattern, path) == 0;
	before = (size_t)(hole - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	len = strcspn(path + before, "/");
	if (len == 0 || strcmp(hole + strlen("{id}"), path + before + len) != 0)
		return false;
	(void)snprintf(ret_id, ROUTE_ID_SIZE, "%.*s", (int)len, path + before);
	return true;
}

const struct route *
route_find(const char *method, const char *path,
    char ret_id[static ROUTE_ID_SIZE], char ret_allow[static ROUTE_ALLOW_MAX])
{
	size_t used = 0;

	ret_allow[0] = '\0';
	for (size_t i = 0; i < route_count; i++) {
		if (!path_fits(routes[i].path, path, ret_id))
			continue;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		used +=
		    (size_t)snprintf(ret_allow + used, ROUTE_ALLOW_MAX - used,
			"%s%s", used == 0 ? "" : ", ", routes[i].method);
	}
	return NULL;
}

/* Codes that are not here say something about the request: 400. */
static const struct {
	enum sbx_err err;
	unsigned status;
} statuses[] = {
	{ SBX_USAGE, 422 },
	{ SBX_NOT_FOUND, 404 },
	{ SBX_EXISTS, 409 },
	{ SBX_STATE, 409 },
	{ SBX_REFUSED, 403 },
	{ SBX_TOO_LARGE, 413 },
	{ SBX_UNAVAILABLE, 503 },
	{ SBX_TIMEOUT, 504 },
	{ SBX_PROTOCOL, 502 },
	{ SBX_CONFIG, 500 },
	{ SBX_NOMEM, 500 },
	{ SBX_IO, 500 },
	{ SBX_UNTRUSTED, 500 },
	{ SBX_INTERNAL, 500 },
};

static unsigned
status_of(enum sbx_err err)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].err == err)
			return statuses[i].status;
	}
	return 400;
}

struct answer
routes_problem_with(
    unsigned status, enum sbx_err err, const struct sbx_why *why)
{
	struct answer answer = { .status = status };

	answer.body = json_object_new_object();
	put_text(answer.body, "type", "about:blank");
	put_text(answer.body, "title", sbx_err_text(err));
	put_u64(answer.body, "status", status);
	put_text(answer.body, "detail", sbx_why_text(why, err));
	put_text(answer.body, "code", sbx_err_name(err));
	return answer;
}

struct answer
routes_problem(enum sbx_err err, const struct sbx_why *why)
{
	return routes_problem_with(status_of(err), err, why);
}

static struct answer
no_route(const struct call *call, const char *allow, struct sbx_why *ret_why)
{
	struct answer answer;

	if (*allow == '\0')
		return routes_problem_with(404,
		    sbx_fail(ret_why, SBX_USAGE, "there is no call %.120s",
			call->path),
		    ret_why);
	answer = routes_problem_with(405,
	    sbx_fail(ret_why, SBX_USAGE, "%.120s takes %s, not %.20s",
		call->path, allow, call->method),
	    ret_why);
	(void)snprintf(answer.allow, sizeof(answer.allow), "%s", allow);
	return answer;
}

struct answer
routes_answer(struct broker *broker, const struct call *call,
    enum sbx_err *ret_err, struct sbx_why *ret_why)
{
	struct answer answer = { 0 };
	char id[ROUTE_ID_SIZE], allow[ROUTE_ALLOW_MAX];
	const struct route *route =
	    route_find(call->method, call->path, id, allow);

	ret_why->text[0] = '\0';
	*ret_err = SBX_USAGE;
	if (route == NULL)
		return no_route(call, allow, ret_why);
	*ret_err = check_query(route, call, ret_why);
	if (*ret_err == SBX_OK && *id != '\0')
		*ret_err = name_check_id(id, ret_why);
	if (*ret_err == SBX_OK)
		*ret_err = route->handler(broker, call, id, &answer, ret_why);
	if (*ret_err == SBX_OK)
		return answer;
	/* A handler may know better than the table of codes. */
	if (answer.status >= 400)
		return routes_problem_with(answer.status, *ret_err, ret_why);
	return routes_problem(*ret_err, ret_why);
}
