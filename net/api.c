/* SPDX-License-Identifier: ISC */
#include "net/api.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "net/reply.h"

#define PATH_LEN 8192
#define CURSOR_LEN 1024
#define TRIES 4
#define FIRST_PAUSE 250 /* milliseconds; twice as long each time */

static void
free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}

#define cleanup_object __attribute__((cleanup(free_object)))

uint64_t
api_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool
api_pause(const struct api *api, uint64_t milliseconds)
{
	const struct timespec pause = { (time_t)(milliseconds / 1000),
		(long)(milliseconds % 1000) * 1000000 };

	if (api_now() + milliseconds >= api->deadline)
		return false;
	(void)nanosleep(&pause, NULL);
	return true;
}

void
api_put_escaped(struct buf *path, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (const char *c = text; *c != '\0'; c++) {
		if (strchr(plain, *c) != NULL)
			buf_put_u8(path, (uint8_t)*c);
		else
			buf_printf(path, "%%%02X", (unsigned char)*c);
	}
}

/* What a status means, and what to say if the platform says nothing. */
static const struct {
	long status;
	enum sbx_err err;
	const char *text;
	const char *advice; /* behind what the platform says */
} statuses[] = {
	{ 400, SBX_STATE, "it refuses the request", "" },
	{ 401, SBX_CONFIG, "it does not accept the key",
	    ": see the key in sandboxd.conf" },
	{ 403, SBX_CONFIG, "the key is not good for that",
	    ": see which rights the key has" },
	{ 404, SBX_NOT_FOUND, "there is no such thing", "" },
	{ 409, SBX_STATE, "something else goes on there", "" },
	{ 422, SBX_STATE, "it cannot do that", "" },
	{ 429, SBX_UNAVAILABLE, "too many requests", "" },
};

static enum sbx_err
judge(const struct api *api, const struct http_head *head, struct buf *body,
    struct sbx_why *why)
{
	static const struct reply_field field = { "message", REPLY_TEXT, true,
		0, SBX_WHY_MAX / 2, 0, 0 };
	cleanup_object struct json_object *object = NULL;
	char message[SBX_WHY_MAX / 2] = "";
	const char *text = "it failed", *advice = "";
	enum sbx_err err = head->status >= 500 ? SBX_UNAVAILABLE : SBX_PROTOCOL;
	bool is_json =
	    reply_parse(buf_text(body), body->len, &object, NULL) == SBX_OK;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].status == head->status) {
			err = statuses[i].err;
			text = statuses[i].text;
			advice = statuses[i].advice;
		}
	}
	/* A proxy, or a portal, that knows nothing of what was asked. */
	if (!is_json && body->len > 0 && head->status < 500 &&
	    head->status != 429)
		return sbx_fail(why, SBX_PROTOCOL,
		    "%s: what answers at %.120s is not its API (status %ld, no "
		    "JSON): is there a proxy in between?",
		    api->who, api->base, head->status);
	if (is_json && reply_read(object, &field, 1, message, NULL) == SBX_OK &&
	    *message != '\0')
		text = message;
	return sbx_fail(why, err, "%s: %s (status %ld)%s", api->who, text,
	    head->status, advice);
}

/* Milliseconds until another try; 0: there is to be none. */
static uint64_t
pause_after(const struct api_call *call, enum sbx_err err,
    const struct http_head *head, unsigned tries)
{
	uint64_t usual = (uint64_t)FIRST_PAUSE << tries;

	if (err == SBX_OK && head->status == 429)
		return head->retry_after != 0 ? head->retry_after * 1000
					      : usual * 4;
	if (tries + 1 >= TRIES || !call->harmless)
		return 0;
	if (err == SBX_OK)
		return head->status >= 500 ? usual : 0;
	return err == SBX_UNAVAILABLE ? usual : 0;
}

static enum sbx_err
perform(const struct api *api, const struct api_call *call,
    struct http_head *ret_head, struct buf *ret_body, struct sbx_why *why)
{
	cleanup_buf struct buf url = BUF_INIT(PATH_LEN);
	struct http_request request = { .method = call->method,
		.who = api->who,
		.headers = api->headers,
		.bearer = api->bearer,
		.ca_file = api->ca_file,
		.timeout = api->timeout };

	buf_put_text(&url, api->base);
	buf_put_text(&url, call->path);
	if (buf_error(&url) != SBX_OK)
		return buf_error(&url);
	request.url = buf_text(&url);
	if (call->body != NULL)
		request.body = json_object_to_json_string_ext(
		    call->body, JSON_C_TO_STRING_PLAIN);
	for (unsigned tries = 0;; tries++) {
		uint64_t now = api_now(), pause;
		enum sbx_err err;

		if (now + 1000 > api->deadline)
			return sbx_fail(why, SBX_TIMEOUT,
			    "%s gave no whole answer in time", api->who);
		if (request.timeout > (api->deadline - now) / 1000)
			request.timeout =
			    (unsigned)((api->deadline - now) / 1000);
		buf_reset(ret_body);
		*ret_head = (struct http_head){ 0 };
		err = http_perform(&request, ret_head, ret_body, why);
		pause = pause_after(call, err, ret_head, tries);
		if (pause == 0 || !api_pause(api, pause))
			return err;
	}
}

enum sbx_err
api_call(const struct api *api, const struct api_call *call,
    struct json_object **ret, struct sbx_why *why)
{
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct http_head head;
	struct sbx_why own = { "" };
	enum sbx_err err = perform(api, call, &head, &body, why);

	if (err == SBX_OK && (head.status < 200 || head.status > 299))
		err = judge(api, &head, &body, why);
	if (err != SBX_OK || ret == NULL)
		return err;
	*ret = NULL;
	if (body.len == 0)
		return SBX_OK;
	err = reply_parse(buf_text(&body), body.len, ret, &own);
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, err,
	    "%s: what answers at %.120s is not its API: %s: is there a proxy "
	    "in between?",
	    api->who, api->base, sbx_why_text(&own, err));
}

static enum sbx_err
take_items(const struct api *api, const struct api_pages *pages,
    struct json_object *page, size_t *left, struct sbx_why *why)
{
	struct json_object *items = NULL;
	enum sbx_err err = SBX_OK;

	if (page != NULL)
		(void)json_object_object_get_ex(page, pages->items, &items);
	if (!json_object_is_type(items, json_type_array))
		return sbx_fail(why, SBX_PROTOCOL,
		    "%s: a list has no array \"%s\"", api->who, pages->items);
	for (size_t i = 0; err == SBX_OK && i < json_object_array_length(items);
	     i++) {
		if ((*left)-- == 0)
			return sbx_fail(why, SBX_TOO_LARGE,
			    "%s lists more than %zu", api->who, pages->max);
		err = pages->take(
		    pages->context, json_object_array_get_idx(items, i), why);
	}
	return err;
}

enum sbx_err
api_pages(
    const struct api *api, const struct api_pages *pages, struct sbx_why *why)
{
	const struct reply_field field = { pages->next, REPLY_TEXT, true, 0,
		CURSOR_LEN, 0, 0 };
	char cursor[CURSOR_LEN] = "", last[CURSOR_LEN];
	size_t left = pages->max;
	enum sbx_err err;

	do {
		cleanup_object struct json_object *page = NULL;
		cleanup_buf struct buf path = BUF_INIT(PATH_LEN);

		buf_put_text(&path, pages->path);
		if (*cursor != '\0') {
			buf_printf(&path, "&%s=", pages->cursor);
			api_put_escaped(&path, cursor);
		}
		err = buf_error(&path);
		if (err == SBX_OK)
			err = api_call(api,
			    &(struct api_call){
				"GET", buf_text(&path), NULL, true },
			    &page, why);
		if (err == SBX_OK)
			err = take_items(api, pages, page, &left, why);
		if (err != SBX_OK)
			return err;
		memcpy(last, cursor, sizeof(last));
		*cursor = '\0';
		err = reply_read(page, &field, 1, cursor, why);
		if (err == SBX_OK && *cursor != '\0' &&
		    strcmp(cursor, last) == 0)
			err = sbx_fail(why, SBX_PROTOCOL,
			    "%s: the next page of a list is the same again",
			    api->who);
	} while (err == SBX_OK && *cursor != '\0');
	return err;
}
