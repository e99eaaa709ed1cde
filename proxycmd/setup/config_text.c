/* SPDX-License-Identifier: ISC */
#include "proxycmd/setup/config_text.h"

#include <string.h>

#include "common/name.h"

static const char template[] =
#include "proxycmd/setup/config_template.inc"
    ;

/*
 * There is no escape character that ssh_config of all versions and all
 * shells agree on, so what would need one is refused.
 */
static enum sbx_err
check_path(const char *path, struct sbx_why *why)
{
	for (const char *c = path; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x20 && *c != 0x7f &&
		    strchr("\"'\\%$*?[]{}`", *c) == NULL)
			continue;
		return sbx_fail(why, SBX_USAGE,
		    "'%.200s' cannot stand in ssh_config: use a path without "
		    "quotes, %%, $, backslash, wildcards and control "
		    "characters",
		    path);
	}
	return SBX_OK;
}

static bool
is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+-";

	return path[strspn(path, plain)] == '\0';
}

static void
put_word(const char *word, char quote, struct buf *ret)
{
	bool plain = is_plain(word);

	if (!plain)
		buf_put_u8(ret, (uint8_t)quote);
	buf_put_text(ret, word);
	if (!plain)
		buf_put_u8(ret, (uint8_t)quote);
}

enum sbx_err
config_text_put_path(const char *path, struct buf *ret, struct sbx_why *why)
{
	enum sbx_err err = check_path(path, why);

	if (err != SBX_OK)
		return err;
	put_word(path, '"', ret);
	return buf_error(ret);
}

static void
put_option(const char *name, const char *value, struct buf *ret)
{
	if (*value == '\0')
		return;
	buf_printf(ret, " %s ", name);
	put_word(value, '\'', ret);
}

static void
put_command(const struct config_text *text, struct buf *ret)
{
	put_word(text->program, '\'', ret);
	put_option("--cache", text->cache, ret);
	put_option("--config", text->config, ret);
	if (strcmp(text->suffix, NAME_SUFFIX_DEFAULT) != 0)
		put_option("--suffix", text->suffix, ret);
}

static void
put_cache(const struct config_text *text, struct buf *ret)
{
	buf_put_text(
	    ret, *text->cache == '\0' ? CONFIG_TEXT_CACHE : text->cache);
}

/* In quotes only if need be: bash-completion does not look through them. */
static void
put_hosts(const struct config_text *text, struct buf *ret)
{
	bool plain = is_plain(text->cache);

	buf_put_text(ret, plain ? "" : "\"");
	put_cache(text, ret);
	buf_put_text(ret, plain ? "/hosts.conf" : "/hosts.conf\"");
}

static void
put_suffix(const struct config_text *text, struct buf *ret)
{
	buf_put_text(ret, text->suffix);
}

static void
put_fdpass(const struct config_text *text, struct buf *ret)
{
	if (!text->stdio)
		buf_put_text(ret, " --fdpass");
}

static const struct place {
	const char *mark;
	void (*put)(const struct config_text *text, struct buf *ret);
} places[] = {
	{ "@PROXY@", put_command },
	{ "@HOSTS@", put_hosts },
	{ "@CACHE@", put_cache },
	{ "@SUFFIX@", put_suffix },
	{ "@FDPASS@", put_fdpass },
};

/*
 * What clients that are not OpenSSH get instead of lines that begin so; they
 * would stumble over them, or over values that are not their default.
 */
static const struct {
	const char *start;
	const char *instead;
} openssh_lines[] = {
	{ "Match host \"*.@SUFFIX@,!*'*\"\n    Include ", "" },
	{ "Match host \"*.@SUFFIX@,!*'*\"\n", "Host *.@SUFFIX@ \"!*'*\"\n" },
	{ "# ssh reads ", "" },
	{ "Match ", "" },
	{ "    IdentityAgent ", "" },
	{ "    Include ", "" },
	{ "    ProxyUseFdpass ", "" },
};

/* From here on nothing is for them. */
static const char openssh_rest[] = "# What ";

#define PLACES (sizeof(places) / sizeof(places[0]))
#define OPENSSH_LINES (sizeof(openssh_lines) / sizeof(openssh_lines[0]))

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static const struct place *
place_at(const char *text)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (starts_with(text, places[i].mark))
			return &places[i];
	}
	return NULL;
}

static void
put_filled(const struct config_text *text, struct view line, struct buf *ret)
{
	while (line.len > 0) {
		const char *c = (const char *)line.p;
		const struct place *place = *c == '@' ? place_at(c) : NULL;
		size_t len = place == NULL ? 1 : strlen(place->mark);

		if (place == NULL)
			buf_put(ret, c, 1);
		else
			place->put(text, ret);
		line = VIEW(c + len, line.len - len);
	}
}

static void
put_for_others(
    const struct config_text *text, struct view line, struct buf *ret)
{
	for (size_t i = 0; i < OPENSSH_LINES; i++) {
		if (!starts_with((const char *)line.p, openssh_lines[i].start))
			continue;
		put_filled(text, VIEW_STR(openssh_lines[i].instead), ret);
		return;
	}
	put_filled(text, line, ret);
}

enum sbx_err
config_text_put(
    const struct config_text *text, struct buf *ret, struct sbx_why *why)
{
	const char *const paths[] = { text->program, text->cache,
		text->config };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		enum sbx_err err = check_path(paths[i], why);

		if (err != SBX_OK)
			return err;
	}
	for (const char *c = template, *end; *c != '\0'; c = end) {
		end = strchr(c, '\n') + 1;
		if (!text->stdio)
			put_filled(text, VIEW(c, (size_t)(end - c)), ret);
		else if (starts_with(c, openssh_rest))
			break;
		else
			put_for_others(text, VIEW(c, (size_t)(end - c)), ret);
	}
	return buf_error(ret);
}
