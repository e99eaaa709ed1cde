/* SPDX-License-Identifier: ISC */
#include "ctl/follow.h"

#include <inttypes.h>

#include "net/reply.h"

static enum sbx_err
take_all(struct json_object *object, follow_taker *take, void *context,
    struct sbx_why *why)
{
	struct json_object *items = NULL;
	enum sbx_err err = SBX_OK;

	(void)json_object_object_get_ex(object, "items", &items);
	if (!json_object_is_type(items, json_type_array))
		return sbx_fail(why, SBX_PROTOCOL,
		    "the broker's answer is not a list of events");
	for (size_t i = 0; err == SBX_OK && i < json_object_array_length(items);
	     i++)
		err = take(context, json_object_array_get_idx(items, i), why);
	return err;
}

enum sbx_err
follow_read(struct follow *follow, struct broker *broker, unsigned wait,
    follow_taker *take, void *context, struct sbx_why *why)
{
	static const struct reply_field field = { "next", REPLY_UINT, false, 0,
		0, INT64_MAX, 0 };
	cleanup_object struct json_object *object = NULL;
	char path[NAME_ID_MAX + 128];
	uint64_t next = 0;
	enum sbx_err err;

	(void)snprintf(path, sizeof(path),
	    "/v1/events?after=%" PRIu64 "&wait=%u%s%s", follow->next, wait,
	    follow->sandbox == NULL ? "" : "&sandbox=",
	    follow->sandbox == NULL ? "" : follow->sandbox);
	err = client_call(&broker->client, "GET", path, NULL, /* extra= */ wait,
	    &object, why);
	if (err != SBX_OK)
		return err;
	if (object == NULL)
		return sbx_fail(why, SBX_PROTOCOL,
		    "the broker's answer is not a list of events");
	err = reply_read(object, &field, 1, &next, why);
	if (err == SBX_OK)
		err = take_all(object, take, context, why);
	follow->at_end = next == follow->next;
	follow->next = next;
	return err;
}
