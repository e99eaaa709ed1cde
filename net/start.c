/* SPDX-License-Identifier: ISC */
#include "net/start.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/name.h"
#include "net/reply.h"

#define ROUND 30 /* seconds of waiting in one request at most */
#define PATH_LEN (NAME_ID_MAX + 64)
#define STATE_LEN 32

static int64_t
monotonic(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The broker answers when it runs, or when seconds are over. */
static enum sbx_err
start_once(struct client *client, const char *id, struct json_object *body,
    unsigned seconds, struct json_object **ret, bool *ret_running,
    struct sbx_why *why)
{
	static const struct reply_field field = { "state", REPLY_TEXT, false, 0,
		STATE_LEN, 0, 0 };
	char path[PATH_LEN], state[STATE_LEN];
	enum sbx_err err;

	(void)snprintf(
	    path, sizeof(path), "/v1/sandboxes/%s/start?wait=%u", id, seconds);
	err = client_call(
	    client, "POST", path, body, /* extra= */ seconds, ret, why);
	if (err == SBX_OK)
		err = reply_read(*ret, &field, 1, state, why);
	if (err != SBX_OK)
		return err;
	*ret_running = strcmp(state, "running") == 0;
	return SBX_OK;
}

static enum sbx_err
start(struct client *client, const char *id, struct json_object *body,
    uint64_t wait, struct json_object **ret, struct sbx_why *why)
{
	/* For a broker that answers at once instead of waiting. */
	const struct timespec pause = { 0, 200 * 1000000L };
	int64_t end = monotonic() + (int64_t)wait;

	for (;;) {
		int64_t left = end - monotonic();
		struct json_object *object = NULL;
		bool running = false;
		enum sbx_err err = start_once(client, id, body,
		    left < 1	       ? 1
			: left < ROUND ? (unsigned)left
				       : ROUND,
		    &object, &running, why);

		if (err == SBX_OK && running) {
			*ret = object;
			return SBX_OK;
		}
		(void)json_object_put(object);
		if (err != SBX_OK)
			return err;
		if (monotonic() >= end)
			return sbx_fail(why, SBX_TIMEOUT,
			    "%s did not start within %" PRIu64
			    " seconds: see sandboxctl show %s, or wait longer",
			    id, wait, id);
		(void)nanosleep(&pause, NULL);
	}
}

enum sbx_err
client_start(struct client *client, const char *id, bool wake, uint64_t wait,
    struct json_object **ret, struct sbx_why *why)
{
	struct json_object *body = json_object_new_object();
	enum sbx_err err = SBX_NOMEM;

	if (body != NULL &&
	    json_object_object_add(
		body, "wake", json_object_new_boolean(wake)) == 0)
		err = start(client, id, body, wait, ret, why);
	(void)json_object_put(body);
	return err;
}
