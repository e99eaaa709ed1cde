/* SPDX-License-Identifier: ISC */
#include "proxycmd/known.h"

#include <fcntl.h>
#include <string.h>

#include "certs/json.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/text.h"
#include "proxycmd/session.h"

/* The word after the keyword, without its quotes. */
static bool
take_value(struct view line, const char *keyword, struct view *ret)
{
	struct view word;

	if (!text_next_word(&line, &word) || !view_eq_str(word, keyword) ||
	    !text_next_word(&line, ret))
		return false;
	if (ret->len >= 2 && ret->p[0] == '"' && ret->p[ret->len - 1] == '"')
		*ret = VIEW(ret->p + 1, ret->len - 2);
	return true;
}

static void
put_json(struct view text, struct buf *ret)
{
	const char *before = "\n  { ";
	struct view line, value;
	bool any = false;

	buf_put_text(ret, "[");
	while (text_next_line(&text, &line)) {
		if (take_value(line, "Host", &value)) {
			buf_put_text(ret, any ? " }," : "");
			buf_printf(ret, "%s\"host\": ", before);
			json_put_string(ret, value);
			any = true;
		} else if (any && take_value(line, "User", &value)) {
			buf_put_text(ret, ", \"user\": ");
			json_put_string(ret, value);
		}
	}
	buf_put_text(ret, any ? " }\n]\n" : "]\n");
}

static void
put_lines(struct view text, struct buf *ret)
{
	struct view line, value;

	while (text_next_line(&text, &line)) {
		if (!take_value(line, "Host", &value))
			continue;
		text_escape(value, value.len, /* quote= */ true, ret);
		buf_put_text(ret, "\n");
	}
}

enum sbx_err
known_put(const char *cache, bool json, struct buf *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(KNOWN_MAX / 4);
	char path[PATHS_MAX];
	enum sbx_err err = paths_join(cache, CACHE_HOSTS, path);

	if (err == SBX_OK)
		err = file_read(AT_FDCWD, path, &text, why);
	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	if (json)
		put_json(buf_view(&text), ret);
	else
		put_lines(buf_view(&text), ret);
	return buf_error(ret);
}
