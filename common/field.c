/* SPDX-License-Identifier: ISC */
#include "common/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

static void *
member(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

enum sbx_err
field_text(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	if (*text == '\0')
		return sbx_fail(why, SBX_BAD_VALUE, "%s is empty", field->name);
	if (text_copy(VIEW_STR(text), member(field, object), FIELD_TEXT) !=
	    SBX_OK)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s is longer than %d bytes", field->name, FIELD_TEXT - 1);
	return SBX_OK;
}

enum sbx_err
field_path(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	if (*text != '/')
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s' is not an absolute path", field->name, text);
	return field_text(field, text, object, why);
}

static uint64_t
max_of(const struct field *field)
{
	return field->max == 0 ? INT64_MAX : field->max;
}

static void
put_numbers(const struct field *field, char ret[static FIELD_RANGE_LEN])
{
	(void)snprintf(ret, FIELD_RANGE_LEN, "%" PRIu64 " to %" PRIu64,
	    field->min, max_of(field));
}

static void
put_durations(const struct field *field, char ret[static FIELD_RANGE_LEN])
{
	char min[TEXT_DURATION_LEN], max[TEXT_DURATION_LEN];

	text_put_duration(field->min, min);
	text_put_duration(max_of(field), max);
	(void)snprintf(ret, FIELD_RANGE_LEN, "%s to %s", min, max);
}

void
field_put_range(const struct field *field, char ret[static FIELD_RANGE_LEN])
{
	ret[0] = '\0';
	if (field->max == 0)
		return;
	if (field->parse == field_uint)
		put_numbers(field, ret);
	else if (field->parse == field_duration ||
	    field->parse == field_minutes)
		put_durations(field, ret);
}

enum sbx_err
field_uint(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	char range[FIELD_RANGE_LEN];

	if (text_uint(text, field->min, max_of(field), member(field, object)) ==
	    SBX_OK)
		return SBX_OK;
	put_numbers(field, range);
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s = '%.80s' is not a number from %s", field->name, text, range);
}

static enum sbx_err
take_seconds(const struct field *field, const char *text, uint64_t seconds,
    void *object, struct sbx_why *why)
{
	char range[FIELD_RANGE_LEN];

	if (seconds >= field->min && seconds <= max_of(field)) {
		*(uint64_t *)member(field, object) = seconds;
		return SBX_OK;
	}
	put_durations(field, range);
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s = '%.80s' is not in the range %s", field->name, text, range);
}

enum sbx_err
field_duration(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	bool minutes = field->parse == field_minutes;
	uint64_t seconds;

	if (text_duration(text, &seconds) != SBX_OK)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s' is not a duration: a number and one of s, m, "
		    "h, d, like 90s, 60m, 24h or 7d%s",
		    field->name, text,
		    minutes ? ", or a number alone, of minutes" : "");
	return take_seconds(field, text, seconds, object, why);
}

enum sbx_err
field_minutes(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	uint64_t minutes;

	if (text_uint(text, 0, INT64_MAX / 60, &minutes) != SBX_OK)
		return field_duration(field, text, object, why);
	return take_seconds(field, text, minutes * 60, object, why);
}

enum sbx_err
field_bool(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	bool *value = member(field, object);

	if (text != NULL && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s' is neither yes nor no", field->name, text);
	*value = text == NULL || strcmp(text, "yes") == 0;
	return SBX_OK;
}

enum sbx_err
field_choice(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	char all[256] = "";
	size_t used = 0;

	for (int i = 0; field->choices[i] != NULL; i++) {
		if (strcmp(field->choices[i], text) == 0) {
			*(int *)member(field, object) = i;
			return SBX_OK;
		}
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used,
			    "%s%s", i == 0 ? "" : ", ", field->choices[i]);
	}
	return sbx_fail(why, SBX_BAD_VALUE, "%s = '%.80s' is none of: %s",
	    field->name, text, all);
}

enum sbx_err
field_words(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct field_list *list = member(field, object);
	const char *word = text;

	if (list->is_default)
		list->count = 0;
	list->is_default = text == field->def; /* so field_defaults calls */
	while (*(word += strspn(word, " \t,")) != '\0') {
		size_t len = strcspn(word, " \t,");

		if (list->count == FIELD_LIST_MAX)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "%s has more than %d words", field->name,
			    FIELD_LIST_MAX);
		if (text_copy(VIEW(word, len), list->word[list->count],
			FIELD_WORD) != SBX_OK)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "%s has a word of more than %d bytes", field->name,
			    FIELD_WORD - 1);
		list->count++;
		word += len;
	}
	return SBX_OK;
}

enum sbx_err
field_defaults(const struct field *field, void *object, struct sbx_why *why)
{
	if (field->def == NULL)
		return SBX_OK;
	return field->parse(field, field->def, object, why);
}
