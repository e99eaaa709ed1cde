/* SPDX-License-Identifier: ISC */
#include "common/name.h"

#include <string.h>

#include "common/text.h"

static bool
is_id_byte(uint8_t c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '_' || c == '-');
}

bool
name_is_id(struct view text)
{
	if (text.len == 0 || text.len > NAME_ID_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_id_byte(text.p[i], i == 0))
			return false;
	}
	return text.p[text.len - 1] != '-';
}

enum sbx_err
name_check_id(const char *text, struct sbx_why *why)
{
	if (name_is_id(VIEW_STR(text)))
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_NAME,
	    "'%.80s' is not a sandbox id: use 1 to %d of a-z 0-9 _ -, starting "
	    "with a letter or digit and not ending in -",
	    text, NAME_ID_MAX);
}

/* Cut the label before the next dot off the front. */
static struct view
next_label(struct view *rest)
{
	const uint8_t *dot =
	    rest->len == 0 ? NULL : memchr(rest->p, '.', rest->len);
	struct view label = *rest;

	if (dot != NULL)
		label.len = (size_t)(dot - rest->p);
	rest->p += label.len + (dot != NULL);
	rest->len -= label.len + (dot != NULL);
	return label;
}

bool
name_is_suffix(const char *suffix)
{
	size_t len = strlen(suffix);
	struct view rest = VIEW(suffix, len);

	if (len == 0 || len > NAME_ALIAS_MAX || suffix[len - 1] == '.')
		return false;
	while (rest.len > 0) {
		if (!name_is_id(next_label(&rest)))
			return false;
	}
	return true;
}

bool
name_has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len > tail + 1 && text[len - tail - 1] == '.' &&
	    strcmp(text + len - tail, suffix) == 0;
}

static bool
parse_alias(const char *text, const char *suffix, bool many, struct alias *ret)
{
	struct view stem, label;

	if (strlen(text) > NAME_ALIAS_MAX || !name_has_suffix(text, suffix))
		return false;
	stem = VIEW(text, strlen(text) - strlen(suffix) - 1);
	if (stem.p[stem.len - 1] == '.')
		return false;
	*ret = (struct alias){ .provider = "" };
	label = next_label(&stem);
	if (!name_is_id(label) ||
	    text_copy(label, ret->id, sizeof(ret->id)) != SBX_OK ||
	    text_copy(stem, ret->provider, sizeof(ret->provider)) != SBX_OK ||
	    text_copy(VIEW_STR(text), ret->text, sizeof(ret->text)) != SBX_OK)
		return false;
	return stem.len == 0 || name_is_id(stem) ||
	    (many && name_is_suffix(ret->provider));
}

static enum sbx_err
parse(const char *text, const char *suffix, bool many, struct alias *ret,
    struct sbx_why *why)
{
	struct view rest = VIEW_STR(text), id = next_label(&rest);
	struct alias alias;

	if (parse_alias(text, suffix, many, &alias)) {
		*ret = alias;
		return SBX_OK;
	}
	if (name_is_id(id) && !name_has_suffix(text, suffix))
		return sbx_fail(why, SBX_BAD_NAME,
		    "'%.80s' is not a sandbox name: write %.*s.%.160s", text,
		    (int)id.len, (const char *)id.p, suffix);
	return sbx_fail(why, SBX_BAD_NAME,
	    "'%.80s' is not a sandbox name: write ID.%s, ID being 1 to %d of "
	    "a-z 0-9 _ - and not ending in -",
	    text, suffix, NAME_ID_MAX);
}

enum sbx_err
name_parse_alias(const char *text, const char *suffix, struct alias *ret,
    struct sbx_why *why)
{
	return parse(text, suffix, /* many= */ false, ret, why);
}

enum sbx_err
name_parse_long_alias(const char *text, const char *suffix, struct alias *ret,
    struct sbx_why *why)
{
	return parse(text, suffix, /* many= */ true, ret, why);
}
