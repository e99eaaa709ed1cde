/* SPDX-License-Identifier: ISC */
#include "proxycmd/doctor/source.h"

#include <string.h>

#include "common/paths.h"
#include "common/text.h"
#include "proxycmd/ssh_config.h"

/* What ssh says of a file, it cuts there. */
#define FILE_SHOWN 200

/* Older names; those that ssh has given up are of no use to anybody. */
static const char *const names[][2] = {
	{ "pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms" },
	{ "dsaauthentication", "pubkeyauthentication" },
	{ "smartcarddevice", "pkcs11provider" },
	{ "identityfile2", "identityfile" },
};

/* One reading of the files: the second one is for Match final and others. */
struct reading {
	struct view trace;
	struct buf *list;
	bool active[SSH_CONFIG_DEPTH + 1]; /* of each file that is being read */
	bool closed[SSH_CONFIG_DEPTH + 1]; /* nothing in it can be */
};

static bool
has(struct view text, const char *part)
{
	return memmem(text.p, text.len, part, strlen(part)) != NULL;
}

/* Did every condition hold?  ssh names each, but for "all". */
static bool
is_matched(struct view trace, const struct ssh_config_line *line)
{
	char start[FILE_SHOWN + 64];
	struct view rest = line->rest;
	const uint8_t *at;
	char word[8];
	bool any = false;

	if (ssh_config_next(&rest, sizeof(word), word) &&
	    strcasecmp(word, "all") == 0)
		return true;
	(void)snprintf(start, sizeof(start),
	    "debug3: %.*s line %zu: ", FILE_SHOWN, line->file, line->number);
	while (
	    (at = memmem(trace.p, trace.len, start, strlen(start))) != NULL) {
		size_t skip = (size_t)(at - trace.p) + strlen(start);

		trace = VIEW(trace.p + skip, trace.len - skip);
		if (trace.len >= 4 && memcmp(trace.p, "not ", 4) == 0)
			return false;
		any = any ||
		    (trace.len >= 7 && memcmp(trace.p, "matched", 7) == 0);
	}
	return any;
}

static bool
is_applied(struct view trace, const struct ssh_config_line *line)
{
	char start[FILE_SHOWN + 64];

	(void)snprintf(start, sizeof(start),
	    "debug1: %.*s line %zu: Applying options for ", FILE_SHOWN,
	    line->file, line->number);
	return has(trace, start);
}

static const char *
name_of(const char *keyword)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i][0], keyword) == 0)
			return names[i][1];
	}
	return keyword;
}

static bool
take_line(void *context, const struct ssh_config_line *line)
{
	struct reading *r = context;
	size_t d = line->depth;

	if (line->number == 0) {
		r->closed[d] = d > 0 && (r->closed[d - 1] || !r->active[d - 1]);
		r->active[d] = !r->closed[d];
	} else if (strcmp(line->keyword, "host") == 0)
		r->active[d] = !r->closed[d] && is_applied(r->trace, line);
	else if (strcmp(line->keyword, "match") == 0)
		r->active[d] = !r->closed[d] && is_matched(r->trace, line);
	else if (r->active[d] && strcmp(line->keyword, "include") != 0)
		buf_printf(r->list, "%s\t%s:%zu\t%.*s\n",
		    name_of(line->keyword), line->file, line->number,
		    (int)line->rest.len, (const char *)line->rest.p);
	return buf_error(r->list) == SBX_OK;
}

static void
read_once(
    struct view trace, const char *config, const char *home, struct buf *ret)
{
	struct reading reading = { .trace = trace, .list = ret };
	char usual[PATHS_MAX];

	if (*config != '\0') {
		(void)ssh_config_read(config, home, take_line, &reading);
		return;
	}
	if (paths_join(home, ".ssh/config", usual) == SBX_OK)
		(void)ssh_config_read(usual, home, take_line, &reading);
	(void)ssh_config_read(SSH_CONFIG_SYSTEM, home, take_line, &reading);
}

void
source_list(const struct buf *trace, const char *config, const char *home,
    struct buf *ret)
{
	static const char again[] = "debug1: re-parsing configuration";
	struct view first = buf_view(trace);
	const uint8_t *second = NULL;

	if (first.len > 0)
		second = memmem(first.p, first.len, again, sizeof(again) - 1);
	if (second != NULL)
		first.len = (size_t)(second - first.p);
	read_once(first, config, home, ret);
	if (second != NULL)
		read_once(
		    VIEW(second, trace->len - first.len), config, home, ret);
}

/* The text up to a tab or the end, which are taken too. */
static void
take_column(struct view *line, size_t size, char *ret)
{
	const uint8_t *tab = memchr(line->p, '\t', line->len);
	size_t len = tab == NULL ? line->len : (size_t)(tab - line->p);
	size_t skip = tab == NULL ? len : len + 1;

	(void)snprintf(ret, size, "%.*s", (int)len, (const char *)line->p);
	*line = VIEW(line->p + skip, line->len - skip);
}

bool
source_find_nth(
    const struct buf *list, const char *option, size_t n, struct source *ret)
{
	struct view rest = buf_view(list), line;

	while (text_next_line(&rest, &line)) {
		take_column(&line, sizeof(ret->option), ret->option);
		if (strcasecmp(ret->option, option) != 0 || n-- > 0)
			continue;
		take_column(&line, sizeof(ret->place), ret->place);
		(void)snprintf(ret->value, sizeof(ret->value), "%.*s",
		    (int)line.len, (const char *)line.p);
		return true;
	}
	return false;
}
