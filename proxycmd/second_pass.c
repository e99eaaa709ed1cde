/* SPDX-License-Identifier: ISC */
#include "proxycmd/second_pass.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/name.h"
#include "common/text.h"
#include "proxycmd/ssh_config.h"

#define NOTE ".second-pass" /* in the cache: HARMLESS, or what forbids it */
#define NOTE_MAX 1024
#define HARMLESS "harmless\n"
#define LISTS_MAX 262144
#define LIST_LEN 1024
#define WORK_MAX 1000000 /* comparisons */

struct config {
	/* Lines "PLACE\tPATTERN,PATTERN..." of all Host and Match host. */
	struct buf lists;
	/* Lines "PLACE\tPATTERN,...\tHOSTNAME" of all HostName. */
	struct buf names;
	/* What each open file's block is for. */
	char block[SSH_CONFIG_DEPTH + 1][LIST_LEN];
	char *place; /* of what forbids it; "" so far */
};

static bool
forbid(struct config *config, const struct ssh_config_line *line)
{
	(void)snprintf(config->place, SECOND_PASS_PLACE, "%s:%zu", line->file,
	    line->number);
	return false;
}

/* All arguments, with commas between them. */
static void
join(struct view rest, char ret[static LIST_LEN])
{
	size_t used = 0;

	ret[0] = '\0';
	while (used + 1 < LIST_LEN &&
	    ssh_config_next(&rest, LIST_LEN - used - 1, ret + used)) {
		used = strlen(ret);
		ret[used++] = ',';
		ret[used] = '\0';
	}
}

static void
put_list(struct config *config, const struct ssh_config_line *line,
    const char *patterns)
{
	buf_printf(
	    &config->lists, "%s:%zu\t%s\n", line->file, line->number, patterns);
}

/* The criteria that mean the same both times, or can be compared. */
static bool
take_match(struct config *config, const struct ssh_config_line *line)
{
	static const char *const same[] = { "localuser", "localnetwork",
		"originalhost", "version" };
	char word[LIST_LEN], value[LIST_LEN];
	struct view rest = line->rest;
	bool ours = memmem(rest.p, rest.len, ",!*'*", 5) != NULL;

	while (!ours && ssh_config_next(&rest, sizeof(word), word)) {
		bool known = false;

		if (strcasecmp(word, "all") == 0)
			continue;
		for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
			known = known || strcasecmp(word, same[i]) == 0;
		if ((!known && strcasecmp(word, "host") != 0) ||
		    !ssh_config_next(&rest, sizeof(value), value))
			return forbid(config, line);
		if (!known)
			put_list(config, line, value);
		else if (strcmp(value, SECOND_PASS_NOBODY) == 0)
			break; /* ours */
	}
	return true;
}

static bool
take_line(void *context, const struct ssh_config_line *line)
{
	struct config *config = context;
	char *block = config->block[line->depth];
	struct view rest = line->rest;
	char name[LIST_LEN];

	if (line->number == 0) {
		if (line->depth > 0)
			memcpy(block, config->block[line->depth - 1], LIST_LEN);
		return true;
	}
	if (strcmp(line->keyword, "host") == 0) {
		join(rest, block);
		put_list(config, line, block);
	} else if (strcmp(line->keyword, "match") == 0) {
		(void)snprintf(block, LIST_LEN, "*");
		return take_match(config, line);
	} else if (strcmp(line->keyword, "hostname") == 0 &&
	    ssh_config_next(&rest, sizeof(name), name) &&
	    strcmp(name, "%h") != 0 &&
	    !name_has_suffix(name, NAME_SUFFIX_DEFAULT))
		buf_printf(&config->names, "%s:%zu\t%s\t%s\n", line->file,
		    line->number, block, name);
	return true;
}

/* As ssh judges it: one that is negated rules the rest out. */
static bool
fits(const char *patterns, const char *name)
{
	char pattern[LIST_LEN];
	bool found = false;

	while (*patterns != '\0') {
		size_t len = strcspn(patterns, ",");
		bool negated = patterns[0] == '!';

		(void)snprintf(pattern, sizeof(pattern), "%.*s",
		    (int)(len - negated), patterns + negated);
		if (fnmatch(pattern, name, FNM_CASEFOLD | FNM_NOESCAPE) == 0) {
			if (negated)
				return false;
			found = true;
		}
		patterns += len + (patterns[len] == ',');
	}
	return found;
}

static void
take_column(struct view *line, size_t size, char *ret)
{
	const uint8_t *tab = memchr(line->p, '\t', line->len);
	size_t len = tab == NULL ? line->len : (size_t)(tab - line->p);

	(void)snprintf(ret, size, "%.*s", (int)len, (const char *)line->p);
	len += tab == NULL ? 0 : 1;
	*line = VIEW(line->p + len, line->len - len);
}

/* Is there a list that fits the new name, but not the old one? */
static bool
is_other(const struct config *config, const char *alias, const char *name,
    size_t *work)
{
	struct view rest = buf_view(&config->lists), line;
	char patterns[LIST_LEN], place[SECOND_PASS_PLACE];

	while (text_next_line(&rest, &line)) {
		take_column(&line, sizeof(place), place);
		take_column(&line, sizeof(patterns), patterns);
		if (++*work > WORK_MAX ||
		    (fits(patterns, name) && !fits(patterns, alias)))
			return true;
	}
	return false;
}

/* Whatever has no name of its own cannot be compared. */
static bool
is_literal(const char *name)
{
	return *name != '\0' && strpbrk(name, "*?%") == NULL;
}

static bool
judge(struct config *config)
{
	struct view rest = buf_view(&config->names), line;
	char patterns[LIST_LEN], name[LIST_LEN];
	size_t work = 0;

	while (text_next_line(&rest, &line)) {
		take_column(&line, SECOND_PASS_PLACE, config->place);
		take_column(&line, sizeof(patterns), patterns);
		take_column(&line, sizeof(name), name);
		if (!is_literal(name) || *patterns == '\0')
			return false;
		for (char *p = patterns; *p != '\0';) {
			size_t len = strcspn(p, ",");
			bool more = p[len] == ',';

			p[len] = '\0';
			if (*p != '!' &&
			    (!is_literal(p) ||
				is_other(config, p, name, &work)))
				return false;
			p += len + more;
		}
	}
	config->place[0] = '\0';
	return true;
}

bool
second_pass_is_harmless(
    const char *home, char ret_place[static SECOND_PASS_PLACE])
{
	struct config config = { .lists = BUF_INIT(LISTS_MAX),
		.names = BUF_INIT(LISTS_MAX),
		.place = ret_place };
	char usual[PATH_MAX];
	bool ret;

	ret_place[0] = '\0';
	(void)snprintf(usual, sizeof(usual), "%s/.ssh/config", home);
	ret = ssh_config_read(usual, home, take_line, &config) &&
	    ssh_config_read(SSH_CONFIG_SYSTEM, home, take_line, &config) &&
	    buf_error(&config.lists) == SBX_OK &&
	    buf_error(&config.names) == SBX_OK && judge(&config);
	buf_free(&config.lists);
	buf_free(&config.names);
	return ret;
}

enum sbx_err
second_pass_note(int cache_fd, const char *home, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(NOTE_MAX);
	cleanup_buf struct buf old = BUF_INIT(NOTE_MAX);
	char place[SECOND_PASS_PLACE];

	if (second_pass_is_harmless(home, place))
		buf_put_text(&text, HARMLESS);
	else
		buf_printf(&text, "%s\n", place);
	if (file_read(cache_fd, NOTE, &old, NULL) == SBX_OK &&
	    view_eq(buf_view(&old), buf_view(&text)))
		return SBX_OK;
	return buf_error(&text) != SBX_OK
	    ? buf_error(&text)
	    : file_write_atomic(cache_fd, NOTE, 0600, buf_view(&text), why);
}

bool
second_pass_is_noted(int cache_fd)
{
	cleanup_buf struct buf text = BUF_INIT(NOTE_MAX);

	return file_read(cache_fd, NOTE, &text, NULL) == SBX_OK &&
	    view_eq_str(buf_view(&text), HARMLESS);
}
