/* SPDX-License-Identifier: ISC */
#include "broker/front/handlers.h"

#include "broker/life/events.h"

static void
put_if_any(struct json_object *o, const char *name, const char *text)
{
	if (*text != '\0')
		answer_put_text(o, name, text);
}

static struct json_object *
json_of_event(const struct event *e)
{
	struct json_object *o = json_object_new_object();

	answer_put_u64(o, "number", e->number);
	answer_put_u64(o, "time", e->time);
	answer_put_text(o, "event", event_name(e->kind));
	put_if_any(o, "sandbox", e->id);
	answer_put_incarnation(o, e->incarnation);
	answer_put_text(o, "owner", e->owner);
	put_if_any(o, "cause", e->cause);
	put_if_any(o, "by", e->by);
	put_if_any(o, "detail", e->detail);
	return o;
}

enum sbx_err
handle_events(struct broker *b, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why)
{
	struct events_wish wish = { .id = call_query(call, "sandbox"),
		.fd = call->fd };
	struct events_told told = { NULL, 0, 0, false };
	struct json_object *items;
	uint64_t limit = 0, wait = 0;
	enum sbx_err err =
	    call_query_uint(call, "after", 0, INT64_MAX, 0, &wish.after, why);

	(void)id;
	if (err == SBX_OK)
		err = call_query_uint(
		    call, "wait", 0, EVENTS_WAIT_MAX, 0, &wait, why);
	if (err == SBX_OK)
		err = call_query_uint(
		    call, "limit", 1, EVENTS_LIMIT, EVENTS_LIMIT, &limit, why);
	if (err == SBX_OK && wish.id != NULL)
		err = name_check_id(wish.id, why);
	if (err != SBX_OK)
		return err;
	wish.limit = limit;
	wish.wait = (unsigned)wait;
	err = events_read(b, &call->caller, &wish, &told, why);
	if (told.crowded)
		ret->status = 429;
	if (err != SBX_OK)
		return err;
	items = json_object_new_array();
	for (size_t i = 0; i < told.count; i++)
		(void)json_object_array_add(
		    items, json_of_event(&told.events[i]));
	free(told.events);
	ret->status = 200;
	ret->body = json_object_new_object();
	(void)json_object_object_add(ret->body, "items", items);
	answer_put_u64(ret->body, "next", told.next);
	return SBX_OK;
}
