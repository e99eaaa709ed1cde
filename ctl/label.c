/* SPDX-License-Identifier: ISC */
#include "ctl/label.h"

#include <string.h>

#include "common/text.h"

static bool
has_key(const struct label_list *list, const char *key, size_t len)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->text[i], key, len) == 0 &&
		    list->text[i][len] == '=')
			return true;
	}
	return false;
}

enum sbx_err
field_label(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct label_list *list =
	    (struct label_list *)(void *)((char *)object + field->offset);
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return sbx_fail(why, SBX_USAGE, "%s '%.80s' is not KEY=VALUE",
		    field->name, text);
	if (has_key(list, text, (size_t)(equals - text)))
		return sbx_fail(why, SBX_USAGE, "%s '%.*s' is given twice",
		    field->name, (int)(equals - text), text);
	if (list->count == field->max)
		return sbx_fail(why, SBX_USAGE,
		    "%s '%.80s' is one too many: give %d at most", field->name,
		    text, (int)field->max);
	if (text_copy(VIEW_STR(text), list->text[list->count], LABEL_TEXT) !=
	    SBX_OK)
		return sbx_fail(why, SBX_USAGE,
		    "%s '%.40s...' is longer than %d bytes", field->name, text,
		    LABEL_TEXT - 1);
	list->count++;
	return SBX_OK;
}
