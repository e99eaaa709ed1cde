/* SPDX-License-Identifier: ISC */
#include "proxycmd/ssh_config.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

struct walk {
	const char *home;
	bool is_system; /* the file it began with is the system's */
	size_t files;
	ssh_config_reader *reader;
	void *context;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

static struct view
skip_blanks(struct view v)
{
	while (v.len > 0 && is_blank(v.p[0]))
		v = VIEW(v.p + 1, v.len - 1);
	return v;
}

bool
ssh_config_next(struct view *rest, size_t size, char *ret)
{
	struct view v = skip_blanks(*rest);
	uint8_t quote = 0;
	size_t n = 0, i;

	if (v.len == 0 || v.p[0] == '#')
		return false;
	for (i = 0; i < v.len; i++) {
		uint8_t c = v.p[i];

		if (quote == 0 && is_blank(c))
			break;
		if (c == quote) {
			quote = 0;
			continue;
		}
		if (quote == 0 && (c == '"' || c == '\'')) {
			quote = c;
			continue;
		}
		if (c == '\\' && i + 1 < v.len &&
		    memchr("'\"\\ ", v.p[i + 1], 4) != NULL)
			c = v.p[++i];
		if (n + 1 < size)
			ret[n++] = (char)c;
	}
	ret[n] = '\0';
	*rest = VIEW(v.p + i, v.len - i);
	return true;
}

/* The keyword ends at a blank, at a quote, or at the one "=" it may have. */
static bool
split(struct view line, struct ssh_config_line *ret)
{
	struct view v = skip_blanks(line);
	size_t n = 0;

	while (v.len > 0 && is_blank(v.p[v.len - 1]))
		v.len--;
	if (v.len == 0 || v.p[0] == '#')
		return false;
	while (n < v.len && !is_blank(v.p[n]) &&
	    memchr("=\"'", v.p[n], 3) == NULL) {
		if (n + 1 >= sizeof(ret->keyword))
			return false;
		ret->keyword[n] = (char)tolower(v.p[n]);
		n++;
	}
	ret->keyword[n] = '\0';
	ret->rest = skip_blanks(VIEW(v.p + n, v.len - n));
	if (ret->rest.len > 0 && ret->rest.p[0] == '=')
		ret->rest =
		    skip_blanks(VIEW(ret->rest.p + 1, ret->rest.len - 1));
	return true;
}

static bool walk_file(struct walk *walk, const char *file, size_t depth);

static bool
walk_include(struct walk *walk, struct view names, size_t depth)
{
	char name[PATH_MAX], path[2 * PATH_MAX];
	bool more = true;

	while (more && ssh_config_next(&names, sizeof(name), name)) {
		glob_t found = { 0 };

		if (name[0] == '/' || name[0] == '~')
			(void)snprintf(path, sizeof(path), "%s", name);
		else if (walk->is_system)
			(void)snprintf(path, sizeof(path), "/etc/ssh/%s", name);
		else
			(void)snprintf(
			    path, sizeof(path), "%s/.ssh/%s", walk->home, name);
		if (glob(path, GLOB_TILDE, NULL, &found) == 0) {
			for (size_t i = 0; more && i < found.gl_pathc; i++)
				more = walk_file(
				    walk, found.gl_pathv[i], depth + 1);
		}
		globfree(&found);
	}
	return more;
}

static bool
walk_file(struct walk *walk, const char *file, size_t depth)
{
	cleanup_buf struct buf text = BUF_INIT(SSH_CONFIG_FILE_MAX);
	struct ssh_config_line line = { .file = file, .depth = depth };
	char real[PATH_MAX];
	struct view rest, bare;

	if (depth > SSH_CONFIG_DEPTH || walk->files++ >= SSH_CONFIG_FILES ||
	    realpath(file, real) == NULL ||
	    file_read(AT_FDCWD, real, &text, NULL) != SBX_OK)
		return true;
	if (!walk->reader(walk->context, &line))
		return false;
	rest = buf_view(&text);
	for (size_t number = 1; text_next_line(&rest, &bare); number++) {
		line.number = number;
		if (!split(bare, &line))
			continue;
		if (!walk->reader(walk->context, &line))
			return false;
		if (strcmp(line.keyword, "include") == 0 &&
		    !walk_include(walk, line.rest, depth))
			return false;
	}
	return true;
}

bool
ssh_config_read(const char *file, const char *home, ssh_config_reader *reader,
    void *context)
{
	struct walk walk = {
		.home = home,
		.is_system = strcmp(file, SSH_CONFIG_SYSTEM) == 0,
		.reader = reader,
		.context = context,
	};

	return walk_file(&walk, file, 0);
}
