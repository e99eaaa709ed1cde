#include "proxycmd/include_line.h"

#include <string.h>

#include "common/text.h"

#define MADE_HERE                                                          \
	"# Made by sandbox-proxy setup, which removes this file with the " \
	"line "                                                            \
	"above if nothing else is in it.\n"

/* Keywords are followed by a blank, "=" or a quoted argument. */
static bool
starts_block(struct view line)
{
	static const char *const keywords[] = { "host", "match" };
	const char *p = (const char *)line.p;
	size_t left = line.len;

	while (left > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		left--;
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		size_t len = strlen(keywords[i]);

		if (left > len && strncasecmp(p, keywords[i], len) == 0 &&
		    memchr(" \t=\"", p[len], 4) != NULL)
			return true;
	}
	return false;
}

bool
include_line_find(struct view text, const char *line, struct include_place *ret)
{
	struct view cursor = text, found;
	size_t number = 0;

	while (text_next_line(&cursor, &found) && !starts_block(found)) {
		struct view bare = found;

		number++;
		if (bare.len > 0 && bare.p[bare.len - 1] == '\r')
			bare.len--;
		if (!view_eq_str(bare, line))
			continue;
		ret->offset = (size_t)(found.p - text.p);
		ret->len = (size_t)(cursor.p - found.p);
		ret->number = number;
		return true;
	}
	return false;
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
