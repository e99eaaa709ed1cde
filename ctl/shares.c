/* SPDX-License-Identifier: ISC */
#include "ctl/shares.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "common/text.h"

#define LINE_MAX_BYTES 16384
#define WORD_LEN 256

static void
put_text(struct json_object *text, struct buf *ret)
{
	text_escape(VIEW(json_object_get_string(text),
			json_object_get_string_len(text)),
	    WORD_LEN, /* quote= */ false, ret);
}

void
shares_put_words(struct json_object *array, struct buf *ret)
{
	size_t count = json_object_is_type(array, json_type_array)
	    ? json_object_array_length(array)
	    : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *word = json_object_array_get_idx(array, i);

		if (!json_object_is_type(word, json_type_string))
			continue;
		if (i > 0)
			buf_put_text(ret, ",");
		put_text(word, ret);
	}
}

static void
print_share(const char *before, struct json_object *share)
{
	static const char *const kinds[] = { "user", "group" };
	cleanup_buf struct buf line = BUF_INIT(LINE_MAX_BYTES);

	buf_put_text(&line, before);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct json_object *name = NULL;

		if (!json_object_object_get_ex(share, kinds[i], &name) ||
		    !json_object_is_type(name, json_type_string))
			continue;
		buf_printf(&line, "%s ", kinds[i]);
		put_text(name, &line);
	}
	buf_put_text(&line, ": ");
	shares_put_words(json_object_object_get(share, "verbs"), &line);
	if (buf_error(&line) == SBX_OK)
		(void)puts(buf_text(&line));
}

void
shares_print(const char *before, struct json_object *sandbox)
{
	struct json_object *shares = NULL;

	(void)json_object_object_get_ex(sandbox, "shares", &shares);
	if (!json_object_is_type(shares, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(shares); i++) {
		struct json_object *share =
		    json_object_array_get_idx(shares, i);

		if (json_object_is_type(share, json_type_object))
			print_share(before, share);
	}
}
