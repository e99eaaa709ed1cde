/* SPDX-License-Identifier: ISC */
#include "net/reply.h"

#include <limits.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

static void
free_tokener(struct json_tokener **tokener)
{
	if (*tokener != NULL)
		json_tokener_free(*tokener);
}

static void
free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}

#define cleanup_tokener __attribute__((cleanup(free_tokener)))
#define cleanup_object __attribute__((cleanup(free_object)))

/* What json-c does not tell of a text. */
struct scan {
	size_t members; /* of all objects */
	size_t nested;	/* objects and arrays */
	bool nul;	/* \u0000 in a string */
};

/* Step over a string, from behind its opening quote. */
static size_t
scan_string(const char *text, size_t len, size_t at, struct scan *ret)
{
	while (at < len && text[at] != '"') {
		if (text[at] == '\\') {
			if (len - at >= 6 &&
			    memcmp(text + at, "\\u0000", 6) == 0)
				ret->nul = true;
			at++;
		}
		at++;
	}
	return at;
}

static struct scan
scan_text(const char *text, size_t len)
{
	struct scan scan = { 0 };

	for (size_t at = 0; at < len; at++) {
		if (text[at] == '"')
			at = scan_string(text, len, at + 1, &scan);
		else if (text[at] == ':')
			scan.members++;
		else if (text[at] == '{' || text[at] == '[')
			scan.nested++;
	}
	return scan;
}

/* Depth was limited when it was parsed. */
static size_t
count_members(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			n += 1 + count_members(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_members(json_object_array_get_idx(value, i));
	}
	return n;
}

enum sbx_err
reply_parse(
    const char *text, size_t len, struct json_object **ret, struct sbx_why *why)
{
	cleanup_tokener struct json_tokener *tokener =
	    json_tokener_new_ex(REPLY_DEPTH_MAX);
	cleanup_object struct json_object *object = NULL;
	struct scan scan;

	if (tokener == NULL)
		return SBX_NOMEM;
	if (len > INT_MAX || memchr(text, '\0', len) != NULL)
		return sbx_fail(
		    why, SBX_PROTOCOL, "not JSON: it holds a NUL byte");
	scan = scan_text(text, len);
	if (scan.nested > REPLY_NESTED_MAX)
		return sbx_fail(why, SBX_TOO_LARGE,
		    "too many objects: more than %d", REPLY_NESTED_MAX);
	json_tokener_set_flags(
	    tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != len)
		return sbx_fail(why, SBX_PROTOCOL, "not JSON: %s at byte %zu",
		    json_tokener_error_desc(json_tokener_get_error(tokener)),
		    json_tokener_get_parse_end(tokener));
	if (!json_object_is_type(object, json_type_object))
		return sbx_fail(why, SBX_PROTOCOL, "not a JSON object");
	if (scan.nul)
		return sbx_fail(
		    why, SBX_PROTOCOL, "not JSON for us: \\u0000 in a text");
	/*
	 * json-c keeps the last of several members with one name.  Outside
	 * strings there is one colon a member, so fewer members than colons
	 * means that some name came twice.
	 */
	if (scan.members != count_members(object))
		return sbx_fail(why, SBX_PROTOCOL,
		    "not JSON for us: a member stands twice");
	*ret = steal_ptr(&object);
	return SBX_OK;
}

static enum sbx_err
fail(const struct reply_field *field, const char *what, struct sbx_why *why)
{
	return sbx_fail(why, SBX_PROTOCOL, "\"%s\" %s", field->name, what);
}

/* Of ASCII or, in two bytes of UTF-8, U+0080 to U+009F. */
static bool
is_control(const char *text, size_t len, size_t at)
{
	unsigned char c = (unsigned char)text[at];

	if (c == 0xc2 && at + 1 < len)
		return (unsigned char)text[at + 1] < 0xa0;
	return c < 0x20 || c == 0x7f;
}

static enum sbx_err
read_text(const struct reply_field *field, struct json_object *value, char *ret,
    struct sbx_why *why)
{
	const char *text;
	size_t len;

	if (!json_object_is_type(value, json_type_string))
		return fail(field, "is not a text", why);
	text = json_object_get_string(value);
	len = (size_t)json_object_get_string_len(value);
	for (size_t i = 0; i < len; i++) {
		if (is_control(text, len, i))
			return fail(field, "holds a control character", why);
	}
	if (text_copy(VIEW(text, len), ret, field->size) != SBX_OK)
		return fail(field, "is too long", why);
	return SBX_OK;
}

static enum sbx_err
read_uint(const struct reply_field *field, struct json_object *value,
    uint64_t *ret, struct sbx_why *why)
{
	uint64_t number;

	if (!json_object_is_type(value, json_type_int) ||
	    json_object_get_int64(value) < 0)
		return fail(field, "is not a number from 0 up", why);
	number = json_object_get_uint64(value);
	if (number > field->max)
		return fail(field, "is too large", why);
	*ret = number;
	return SBX_OK;
}

static enum sbx_err
read_texts(const struct reply_field *field, struct json_object *value,
    char *ret, size_t *ret_count, struct sbx_why *why)
{
	size_t count;

	if (!json_object_is_type(value, json_type_array))
		return fail(field, "is not an array of texts", why);
	count = json_object_array_length(value);
	if (count > field->max)
		return fail(field, "has too many elements", why);
	for (size_t i = 0; i < count; i++) {
		enum sbx_err err =
		    read_text(field, json_object_array_get_idx(value, i),
			ret + i * field->size, why);

		if (err != SBX_OK)
			return err;
	}
	*ret_count = count;
	return SBX_OK;
}

static enum sbx_err
read_field(const struct reply_field *field, struct json_object *value,
    char *object, struct sbx_why *why)
{
	void *member = object + field->offset;

	switch (field->type) {
	case REPLY_TEXT:
		return read_text(field, value, member, why);
	case REPLY_UINT:
		return read_uint(field, value, member, why);
	case REPLY_BOOL:
		if (!json_object_is_type(value, json_type_boolean))
			return fail(field, "is neither true nor false", why);
		*(bool *)member = json_object_get_boolean(value);
		return SBX_OK;
	case REPLY_TEXTS:
		return read_texts(field, value, member,
		    (size_t *)(void *)(object + field->count), why);
	}
	return SBX_INTERNAL;
}

enum sbx_err
reply_read(struct json_object *object, const struct reply_field *fields,
    size_t count, void *ret, struct sbx_why *why)
{
	for (size_t i = 0; i < count; i++) {
		struct json_object *value = NULL;
		enum sbx_err err;

		/* A null is a NULL value too. */
		(void)json_object_object_get_ex(object, fields[i].name, &value);
		if (value == NULL && fields[i].optional)
			continue;
		if (value == NULL)
			return fail(&fields[i], "is missing", why);
		err = read_field(&fields[i], value, ret, why);
		if (err != SBX_OK)
			return err;
	}
	return SBX_OK;
}
