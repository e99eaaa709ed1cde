/* SPDX-License-Identifier: ISC */
#include "proxycmd/setup/include_line.h"

#include <string.h>

#include "common/text.h"

#define MADE_HERE                                                          \
	"# Made by sandbox-proxy setup, which removes this file with the " \
	"line "                                                            \
	"above if nothing else is in it.\n"

static struct view
trim(struct view line)
{
	while (line.len > 0 && memchr(" \t\r", line.p[line.len - 1], 3) != NULL)
		line.len--;
	while (line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = VIEW(line.p + 1, line.len - 1);
	return line;
}

/* Is the argument that, alone, in quotes or not? */
static bool
is_argument(struct view rest, const char *want)
{
	struct view word = { 0 }, more;

	while (rest.len > 0 && memchr(" \t=", rest.p[0], 3) != NULL)
		rest = VIEW(rest.p + 1, rest.len - 1);
	if (!text_next_word(&rest, &word) ||
	    (text_next_word(&rest, &more) && more.p[0] != '#'))
		return false;
	if (word.len > 2 && word.p[0] == '"' && word.p[word.len - 1] == '"')
		word = VIEW(word.p + 1, word.len - 2);
	return word.len == strlen(want) &&
	    strncasecmp((const char *)word.p, want, word.len) == 0;
}

/*
 * Does a block start there?  *ret is the line then, or empty if the block is
 * for every host.  Keywords are followed by a blank, "=" or a quoted argument.
 */
static bool
starts_block(struct view line, struct view *ret)
{
	static const char *const keywords[][2] = { { "host", "*" },
		{ "match", "all" } };

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		size_t len = strlen(keywords[i][0]);

		if (line.len <= len ||
		    strncasecmp((const char *)line.p, keywords[i][0], len) !=
			0 ||
		    memchr(" \t=\"", line.p[len], 4) == NULL)
			continue;
		*ret = is_argument(
			   VIEW(line.p + len, line.len - len), keywords[i][1])
		    ? VIEW("", 0)
		    : line;
		return true;
	}
	return false;
}

bool
include_line_find(struct view text, const char *line, struct include_place *ret)
{
	struct view cursor = text, block = VIEW("", 0), found;
	size_t number = 0;
	bool is_there = false;

	while (text_next_line(&cursor, &found)) {
		struct view bare = trim(found);

		number++;
		if (starts_block(bare, &block) || !view_eq_str(bare, line) ||
		    (is_there && block.len > 0))
			continue;
		is_there = true;
		*ret = (struct include_place){
			.offset = (size_t)(found.p - text.p),
			.len = (size_t)(cursor.p - found.p),
			.number = number,
			.line = found,
			.block = block,
		};
		if (block.len == 0)
			break;
	}
	return is_there;
}

void
include_line_add(struct view text, const char *line, struct buf *ret)
{
	buf_put_text(ret, line);
	buf_put_text(ret, "\n");
	buf_put_view(ret, text);
}

void
include_line_begin(const char *line, struct buf *ret)
{
	include_line_add(VIEW_STR(MADE_HERE), line, ret);
}

bool
include_line_is_end(struct view text)
{
	return view_eq_str(text, MADE_HERE);
}

void
include_line_remove(
    struct view text, const struct include_place *place, struct buf *ret)
{
	size_t end = place->offset + place->len;

	buf_put(ret, text.p, place->offset);
	buf_put(ret, text.p + end, text.len - end);
}
