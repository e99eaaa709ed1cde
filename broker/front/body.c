/* SPDX-License-Identifier: ISC */
#include "broker/front/body.h"

#include <string.h>

#include "common/text.h"

static void
free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}

#define cleanup_object __attribute__((cleanup(free_object)))

/* Letters, digits and "._/-", so that keys can stand in URLs and tables. */
static bool
is_label_key(const char *key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._/-";
	size_t len = strlen(key);

	return len > 0 && len <= STORE_LABEL_KEY_MAX &&
	    strspn(key, allowed) == len;
}

static enum sbx_err
put_label(
    const char *key, struct view value, struct label *ret, struct sbx_why *why)
{
	if (!is_label_key(key))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "label '%.80s': a key is 1 to %d letters, digits, '.', "
		    "'_', '/' or '-'",
		    key, STORE_LABEL_KEY_MAX);
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < 0x20 || value.p[i] == 0x7f)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "label '%s' holds a control character", key);
	}
	(void)snprintf(ret->key, sizeof(ret->key), "%s", key);
	if (text_copy(value, ret->value, sizeof(ret->value)) != SBX_OK)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "label '%s' has a value of more than %d bytes", key,
		    STORE_LABEL_VALUE_MAX);
	return SBX_OK;
}

enum sbx_err
label_parse(const char *text, struct label *ret, struct sbx_why *why)
{
	const char *equals = strchr(text, '=');
	char key[STORE_LABEL_KEY_MAX + 1];

	if (equals == NULL ||
	    text_copy(VIEW(text, equals - text), key, sizeof(key)) != SBX_OK)
		return sbx_fail(
		    why, SBX_BAD_VALUE, "label '%.80s' is not key=value", text);
	return put_label(key, VIEW_STR(equals + 1), ret, why);
}

static enum sbx_err
read_labels(struct json_object *object, const char *name, struct label *ret,
    size_t *ret_count, struct sbx_why *why)
{
	struct json_object *labels = NULL;
	size_t count = 0;

	(void)json_object_object_get_ex(object, name, &labels);
	if (labels == NULL)
		return SBX_OK;
	if (!json_object_is_type(labels, json_type_object))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "\"%s\" is not an object of texts", name);
	json_object_object_foreach(labels, key, value)
	{
		enum sbx_err err;

		if (count == STORE_LABELS_MAX)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "\"%s\" has more than %d members", name,
			    STORE_LABELS_MAX);
		if (!json_object_is_type(value, json_type_string))
			return sbx_fail(why, SBX_BAD_VALUE,
			    "\"%s\": '%.80s' is not a text", name, key);
		err = put_label(key,
		    VIEW(json_object_get_string(value),
			json_object_get_string_len(value)),
		    &ret[count++], why);
		if (err != SBX_OK)
			return err;
	}
	*ret_count = count;
	return SBX_OK;
}

static bool
is_known(const struct body_table *table, const char *key)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->fields[i].name, key) == 0)
			return true;
	}
	return table->labels != NULL && strcmp(table->labels, key) == 0;
}

static struct view
trim(struct view text)
{
	while (
	    text.len > 0 && memchr(" \t\r\n", text.p[text.len - 1], 4) != NULL)
		text.len--;
	return text;
}

enum sbx_err
body_read(struct view text, const struct body_table *table, void *ret,
    struct label *ret_labels, size_t *ret_label_count, struct sbx_why *why)
{
	cleanup_object struct json_object *object = NULL;
	enum sbx_err err;

	text = trim(text);
	if (text.len == 0)
		text = VIEW_STR("{}");
	err = reply_parse((const char *)text.p, text.len, &object, why);
	if (err == SBX_OK) {
		json_object_object_foreach(object, key, value)
		{
			(void)value;
			if (!is_known(table, key))
				return sbx_fail(why, SBX_BAD_VALUE,
				    "unknown member \"%.80s\"", key);
		}
		err = reply_read(object, table->fields, table->count, ret, why);
	}
	if (err == SBX_OK && table->labels != NULL)
		err = read_labels(
		    object, table->labels, ret_labels, ret_label_count, why);
	/* For whoever asked, what is unexpected is a value of theirs. */
	return err == SBX_PROTOCOL ? SBX_BAD_VALUE : err;
}

enum sbx_err
body_duration(const char *name, const char *text, uint64_t max, uint64_t *ret,
    struct sbx_why *why)
{
	const struct field field = { .name = name, .min = 1, .max = max };

	return field_duration(&field, text, ret, why);
}

enum sbx_err
body_pause(const char *name, const char *text, uint64_t max, uint64_t *ret,
    struct sbx_why *why)
{
	const struct field field = { .name = name, .max = max };

	return field_duration(&field, text, ret, why);
}
