/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/wish.h"

#include <string.h>

#include "certs/cidr.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "net/reply.h"

#define WISH_MAX 4096
#define PERMITS 16
#define WORD_LEN 32

bool
wish_is_any(const struct wish *wish)
{
	return wish->permit != WISH_PERMIT_ANY || wish->single_use ||
	    *wish->source_address != '\0' || *wish->force_command != '\0';
}

enum sbx_err
wish_field_source_address(const struct field *field, const char *text,
    void *object, struct sbx_why *why)
{
	if (!cidr_list_is_canonical(VIEW_STR(text)))
		return sbx_fail(why, SBX_USAGE,
		    "%s '%.80s' is not a list like 192.0.2.0/24,2001:db8::/32",
		    field->name, text);
	return field_text(field, text, object, why);
}

static bool
add(struct json_object *body, const char *name, struct json_object *value)
{
	return value != NULL && json_object_object_add(body, name, value) == 0;
}

static struct json_object *
permit_words(unsigned permit)
{
	struct json_object *words = json_object_new_array();

	for (size_t i = 0; words != NULL && i < permit_row_count; i++) {
		if ((permit & permit_rows[i].bit) != 0)
			(void)json_object_array_add(
			    words, json_object_new_string(permit_rows[i].word));
	}
	return words;
}

enum sbx_err
wish_put(const struct wish *wish, struct json_object *body)
{
	char ttl[TEXT_DURATION_LEN];
	bool ok = true;

	text_put_duration(wish->ttl, ttl);
	if (wish->ttl != 0)
		ok = ok && add(body, "ttl", json_object_new_string(ttl));
	if (wish->permit != WISH_PERMIT_ANY)
		ok = ok && add(body, "permit", permit_words(wish->permit));
	if (wish->single_use)
		ok = ok &&
		    add(body, "single_use", json_object_new_boolean(true));
	if (*wish->source_address != '\0')
		ok = ok &&
		    add(body, "source_address",
			json_object_new_string(wish->source_address));
	if (*wish->force_command != '\0')
		ok = ok &&
		    add(body, "force_command",
			json_object_new_string(wish->force_command));
	return ok ? SBX_OK : SBX_NOMEM;
}

enum sbx_err
wish_write(const struct wish *wish, int cache_fd, struct sbx_why *why)
{
	struct json_object *object = json_object_new_object();
	enum sbx_err err = object == NULL ? SBX_NOMEM : wish_put(wish, object);

	if (err == SBX_OK)
		err = file_write_atomic(cache_fd, WISH_FILE, 0600,
		    VIEW_STR(json_object_to_json_string(object)), why);
	(void)json_object_put(object);
	return err;
}

/* The file, which is ours: what a request has, no more. */
struct written {
	char ttl[WORD_LEN];
	char permit[PERMITS][WORD_LEN];
	size_t permit_count;
	struct wish wish;
};

#define MEMBER(m) offsetof(struct written, m)

static const struct reply_field fields[] = {
	{ "ttl", REPLY_TEXT, true, MEMBER(ttl), WORD_LEN, 0, 0 },
	{ "permit", REPLY_TEXTS, true, MEMBER(permit), WORD_LEN, PERMITS,
	    MEMBER(permit_count) },
	{ "single_use", REPLY_BOOL, true, MEMBER(wish.single_use), 0, 0, 0 },
	{ "source_address", REPLY_TEXT, true, MEMBER(wish.source_address),
	    FIELD_TEXT, 0, 0 },
	{ "force_command", REPLY_TEXT, true, MEMBER(wish.force_command),
	    FIELD_TEXT, 0, 0 },
};

static enum sbx_err
take(struct json_object *object, struct written *w, struct sbx_why *why)
{
	enum sbx_err err = reply_read(
	    object, fields, sizeof(fields) / sizeof(fields[0]), w, why);

	if (err == SBX_OK && *w->ttl != '\0')
		err = text_duration(w->ttl, &w->wish.ttl);
	if (err != SBX_OK || w->permit_count == SIZE_MAX)
		return err;
	w->wish.permit = 0;
	for (size_t i = 0; i < w->permit_count; i++)
		w->wish.permit |= permit_of_word(w->permit[i]);
	return SBX_OK;
}

enum sbx_err
wish_read(int cache_fd, struct wish *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(WISH_MAX);
	struct written written = { .permit_count = SIZE_MAX,
		.wish = WISH_INIT };
	struct json_object *object = NULL;
	enum sbx_err err = file_read(cache_fd, WISH_FILE, &text, why);

	if (err == SBX_OK)
		err = reply_parse(buf_text(&text), text.len, &object, why);
	if (err == SBX_OK)
		err = take(object, &written, why);
	(void)json_object_put(object);
	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	if (err == SBX_NOT_FOUND && why != NULL)
		why->text[0] = '\0';
	*ret = written.wish;
	return SBX_OK;
}

const char *
wish_fault(const struct wish *wish, const struct cert_grant *grant)
{
	if (wish->permit != WISH_PERMIT_ANY &&
	    (grant->permit & ~wish->permit) != 0)
		return "it permits more than was asked for";
	if (wish->single_use && !grant->single_use)
		return "it is good for more than one connection";
	if (*wish->source_address != '\0' &&
	    !view_eq_str(grant->source_address, wish->source_address))
		return "it is good from other addresses than were asked for";
	if (*wish->force_command != '\0' &&
	    !view_eq_str(grant->force_command, wish->force_command))
		return "it runs other commands than the one asked for";
	return NULL;
}
