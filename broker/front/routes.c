/* SPDX-License-Identifier: ISC */
#include "broker/front/routes.h"

#include <string.h>

#include "broker/life/events.h"
#include "broker/life/overlap.h"

static enum sbx_err
get_health(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct sbx_why warning;

	(void)call, (void)id, (void)why;
	ret->status = 200;
	ret->body = json_object_new_object();
	answer_put_text(ret->body, "status", "ok");
	answer_put_text(ret->body, "version", PACKAGE_VERSION);
	answer_put_u64(ret->body, "time", b->now());
	if (overlap_find(b->settings, &warning))
		answer_put_text(ret->body, "warning", warning.text);
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

const struct route routes[] = {
	{ "GET", "/v1/health", "", get_health },
	{ "GET", "/v1/ca", "", get_ca },
	{ "GET", "/v1/sandboxes", "state label provider cursor limit",
	    handle_list },
	{ "POST", "/v1/sandboxes", "", handle_create },
	{ "GET", "/v1/sandboxes/{id}", "provider", handle_show },
	{ "PATCH", "/v1/sandboxes/{id}", "", handle_change },
	{ "DELETE", "/v1/sandboxes/{id}", "", handle_delete },
	{ "POST", "/v1/sandboxes/{id}/start", "wait", handle_start },
	{ "POST", "/v1/sandboxes/{id}/stop", "", handle_stop },
	{ "POST", "/v1/sandboxes/{id}/ssh", "", handle_ssh },
	{ "POST", "/v1/sandboxes/{id}/share", "", handle_share },
	{ "POST", "/v1/sandboxes/{id}/unshare", "", handle_unshare },
	{ "GET", "/v1/events", "after wait sandbox limit", handle_events },
};

const size_t route_count = sizeof(routes) / sizeof(routes[0]);

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
    char ret_id[static ROUTE_ID_SIZE], char ret_allow[static ANSWER_ALLOW_MAX])
{
	size_t used = 0;

	ret_allow[0] = '\0';
	for (size_t i = 0; i < route_count; i++) {
		if (!path_fits(routes[i].path, path, ret_id))
			continue;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		used +=
		    (size_t)snprintf(ret_allow + used, ANSWER_ALLOW_MAX - used,
			"%s%s", used == 0 ? "" : ", ", routes[i].method);
	}
	return NULL;
}

static struct answer
no_route(const struct call *call, const char *allow, struct sbx_why *ret_why)
{
	struct answer answer;

	if (*allow == '\0')
		return answer_problem_with(404,
		    sbx_fail(ret_why, SBX_USAGE, "there is no call %.120s",
			call->path),
		    ret_why);
	answer = answer_problem_with(405,
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
	char id[ROUTE_ID_SIZE], allow[ANSWER_ALLOW_MAX];
	const struct route *route =
	    route_find(call->method, call->path, id, allow);

	ret_why->text[0] = '\0';
	*ret_err = SBX_USAGE;
	if (route == NULL)
		return no_route(call, allow, ret_why);
	*ret_err = call_check_query(call, route->query, ret_why);
	if (*ret_err == SBX_OK && *id != '\0')
		*ret_err = name_check_id(id, ret_why);
	if (*ret_err == SBX_OK)
		*ret_err = route->handler(broker, call, id, &answer, ret_why);
	if (*ret_err == SBX_OK)
		return answer;
	if (*ret_err == SBX_REFUSED)
		events_refuse(broker, &call->caller, id, *ret_err, ret_why);
	/* A handler may know better than the table of codes. */
	if (answer.status >= 400)
		return answer_problem_with(answer.status, *ret_err, ret_why);
	return answer_problem(*ret_err, ret_why);
}
