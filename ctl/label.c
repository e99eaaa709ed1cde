#include "ctl/label.h"

#include <string.h>

#include "common/text.h"

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
	if (list->count == LABEL_MAX)
		return sbx_fail(why, SBX_USAGE, "%s: more than %d of them",
		    field->name, LABEL_MAX);
	if (text_copy(VIEW_STR(text), list->text[list->count], LABEL_TEXT) !=
	    SBX_OK)
		return sbx_fail(why, SBX_USAGE,
		    "%s '%.40s...' is longer than %d bytes", field->name, text,
		    LABEL_TEXT - 1);
	list->count++;
	return SBX_OK;
}
