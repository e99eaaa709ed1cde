/* SPDX-License-Identifier: ISC */
#include "net/pages.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "net/api.h"
#include "net/reply.h"

#define PATH_LEN 8192
#define CURSOR_LEN 512

/* What is known between two pages. */
struct place {
	char cursor[CURSOR_LEN]; /* where the next begins; "": there is none */
	size_t left;		 /* items that may still come */
	bool full;		 /* and one more than those did */
};

static void
free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}

#define cleanup_object __attribute__((cleanup(free_object)))

void
pages_put_query(struct buf *query, const char *name, const char *value)
{
	buf_printf(query, "&%s=", name);
	api_put_escaped(query, value);
}

static enum sbx_err
take_items(const struct pages *pages, struct json_object *items,
    struct place *place, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (!json_object_is_type(items, json_type_array))
		return sbx_fail(why, SBX_PROTOCOL,
		    "the broker's answer is not a list of sandboxes");
	for (size_t i = 0; err == SBX_OK && i < json_object_array_length(items);
	     i++) {
		if (place->left == 0) {
			place->full = true;
			break;
		}
		place->left--;
		err = pages->take(
		    pages->context, json_object_array_get_idx(items, i), why);
	}
	return err;
}

/* One page, and where the next one begins. */
static enum sbx_err
read_page(struct client *client, const struct pages *pages, struct place *place,
    struct sbx_why *why)
{
	static const struct reply_field field = { "next_cursor", REPLY_TEXT,
		true, 0, CURSOR_LEN, 0, 0 };
	cleanup_object struct json_object *object = NULL;
	cleanup_buf struct buf path = BUF_INIT(PATH_LEN);
	struct json_object *items = NULL;
	char next[CURSOR_LEN] = "";
	enum sbx_err err;

	buf_printf(&path, "/v1/sandboxes?limit=200%s", pages->query);
	if (*place->cursor != '\0')
		pages_put_query(&path, "cursor", place->cursor);
	if (buf_error(&path) != SBX_OK)
		return buf_error(&path);
	err = client_call(client, "GET", buf_text(&path), NULL,
	    /* extra= */ 0, &object, why);
	if (err == SBX_OK && object != NULL)
		err = reply_read(object, &field, 1, next, why);
	if (err != SBX_OK)
		return err;
	if (*next != '\0' && strcmp(next, place->cursor) == 0)
		return sbx_fail(why, SBX_PROTOCOL,
		    "the broker's list does not come to an end: the next "
		    "page is the same again");
	memcpy(place->cursor, next, sizeof(next));
	(void)json_object_object_get_ex(object, "items", &items);
	return take_items(pages, items, place, why);
}

static time_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

enum sbx_err
pages_read(struct client *client, const struct pages *pages, bool *ret_complete,
    struct sbx_why *why)
{
	struct place place = { .left = pages->max };
	time_t end = now() + (time_t)pages->seconds;
	enum sbx_err err;

	do {
		err = read_page(client, pages, &place, why);
		if (err == SBX_OK && *place.cursor != '\0' && now() > end)
			err = sbx_fail(why, SBX_TIMEOUT,
			    "the broker's list does not come to an end in "
			    "%" PRIu64 " seconds",
			    pages->seconds);
	} while (err == SBX_OK && *place.cursor != '\0' && !place.full);
	*ret_complete = err == SBX_OK && !place.full;
	return err;
}
