/* SPDX-License-Identifier: ISC */
#include "proxycmd/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/hosts.h"

#define RUNNING "running"
#define TRIED "tried"
#define WORD_LEN 32
#define PATH_LEN (PATHS_MAX + NAME_ALIAS_MAX + WORD_LEN)

static const char *const file_names[SESSION_FILES] = {
	[SESSION_KEY] = CACHE_KEY,
	[SESSION_PUBLIC_KEY] = CACHE_PUBLIC_KEY,
	[SESSION_CERT] = CACHE_CERT,
	[SESSION_KNOWN_HOSTS] = CACHE_KNOWN_HOSTS,
	[SESSION_HOSTS] = "../" CACHE_HOSTS,
};

/* The path of "unix:/...". */
static bool
unix_path(const char *endpoint, const char **ret)
{
	static const char scheme[] = "unix:/";

	*ret = endpoint + strlen(scheme) - 1;
	return strncmp(endpoint, scheme, strlen(scheme)) == 0;
}

typedef enum sbx_err value_parser(struct view value, struct session *ret);

/* Anything that stays on its line; what may stand where, its parser knows. */
static enum sbx_err
copy_line_if_any(struct view value, char *ret, size_t size)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < 0x20 || value.p[i] == 0x7f)
			return SBX_BAD_VALUE;
	}
	return text_copy(value, ret, size);
}

static enum sbx_err
copy_line(struct view value, char *ret, size_t size)
{
	return value.len == 0 ? SBX_BAD_VALUE
			      : copy_line_if_any(value, ret, size);
}

/* Visible ASCII, so that it can be a word of other programs. */
static enum sbx_err
copy_visible(struct view value, char *ret, size_t size)
{
	if (value.len == 0)
		return SBX_BAD_VALUE;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] <= 0x20 || value.p[i] >= 0x7f)
			return SBX_BAD_VALUE;
	}
	return text_copy(value, ret, size);
}

static enum sbx_err
parse_number(struct view value, uint64_t max, uint64_t *ret)
{
	char digits[WORD_LEN];

	if (text_copy(value, digits, sizeof(digits)) != SBX_OK)
		return SBX_BAD_VALUE;
	return text_uint(digits, 0, max, ret);
}

static enum sbx_err
parse_version(struct view value, struct session *ret)
{
	uint64_t version;

	(void)ret;
	if (parse_number(value, UINT64_MAX, &version) != SBX_OK)
		return SBX_BAD_VALUE;
	return version == SESSION_VERSION ? SBX_OK : SBX_BAD_VALUE;
}

static enum sbx_err
parse_id(struct view value, struct session *ret)
{
	if (!name_is_id(value))
		return SBX_BAD_VALUE;
	return text_copy(value, ret->id, sizeof(ret->id));
}

static enum sbx_err
parse_incarnation(struct view value, struct session *ret)
{
	if (value.len > 0 && !name_is_id(value))
		return SBX_BAD_VALUE;
	return text_copy(value, ret->incarnation, sizeof(ret->incarnation));
}

static enum sbx_err
parse_user(struct view value, struct session *ret)
{
	return copy_visible(value, ret->user, sizeof(ret->user));
}

static enum sbx_err
parse_state(struct view value, struct session *ret)
{
	char state[WORD_LEN];

	if (copy_visible(value, state, sizeof(state)) != SBX_OK)
		return SBX_BAD_VALUE;
	ret->running = strcmp(state, RUNNING) == 0;
	return SBX_OK;
}

static enum sbx_err
parse_not_after(struct view value, struct session *ret)
{
	return parse_number(value, UINT64_MAX, &ret->not_after);
}

static enum sbx_err
parse_bool(struct view value, bool *ret)
{
	*ret = view_eq_str(value, "yes");
	return *ret || view_eq_str(value, "no") ? SBX_OK : SBX_BAD_VALUE;
}

static enum sbx_err
parse_single_use(struct view value, struct session *ret)
{
	return parse_bool(value, &ret->single_use);
}

static enum sbx_err
parse_local_kex(struct view value, struct session *ret)
{
	return parse_bool(value, &ret->local_kex);
}

static enum sbx_err
parse_shell(struct view value, struct session *ret)
{
	ret->shell_tried = view_eq_str(value, TRIED);
	return ret->shell_tried ? SBX_OK : SBX_BAD_VALUE;
}

static enum sbx_err
parse_broker(struct view value, struct session *ret)
{
	return copy_line_if_any(value, ret->broker, sizeof(ret->broker));
}

static enum sbx_err
parse_origin(struct view value, struct session *ret)
{
	return copy_line_if_any(value, ret->origin, sizeof(ret->origin));
}

static enum sbx_err
parse_file(struct view value, struct session *ret)
{
	for (size_t i = 0; i < SESSION_FILES; i++) {
		if (!view_eq_str(value, file_names[i]))
			continue;
		ret->file[i] = true;
		return SBX_OK;
	}
	return SBX_BAD_VALUE;
}

static enum sbx_err
parse_endpoint(struct view value, struct session *ret)
{
	if (ret->endpoint_count == SESSION_ENDPOINTS)
		return SBX_TOO_LARGE;
	return copy_line(value, ret->endpoint[ret->endpoint_count++],
	    sizeof(ret->endpoint[0]));
}

/* In the order in which they are written. */
static const struct session_key {
	const char *name;
	value_parser *parse;
	bool many; /* any number of times, also none; otherwise once */
} keys[] = {
	{ "version", parse_version, false },
	{ "id", parse_id, false },
	{ "incarnation", parse_incarnation, false },
	{ "user", parse_user, false },
	{ "state", parse_state, false },
	{ "not_after", parse_not_after, false },
	{ "single_use", parse_single_use, false },
	{ "local_kex", parse_local_kex, true },
	{ "broker", parse_broker, false },
	{ "origin", parse_origin, false },
	{ "shell", parse_shell, true },
	{ "file", parse_file, true },
	{ "endpoint", parse_endpoint, true },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static enum sbx_err
parse_line(struct view line, struct session *ret, bool seen[static KEYS])
{
	const uint8_t *equals = memchr(line.p, '=', line.len);
	struct view name = line, value = line;

	if (equals == NULL)
		return SBX_BAD_VALUE;
	name.len = (size_t)(equals - line.p);
	value.p = equals + 1;
	value.len = line.len - name.len - 1;
	for (size_t i = 0; i < KEYS; i++) {
		if (!view_eq_str(name, keys[i].name))
			continue;
		if (seen[i] && !keys[i].many)
			return SBX_BAD_VALUE;
		seen[i] = true;
		return keys[i].parse(value, ret);
	}
	return SBX_BAD_VALUE;
}

static enum sbx_err
parse(struct view text, struct session *ret)
{
	bool seen[KEYS] = { false };
	struct view line;

	if (text.len == 0 || text.p[text.len - 1] != '\n')
		return SBX_BAD_VALUE;
	while (text_next_line(&text, &line)) {
		if (parse_line(line, ret, seen) != SBX_OK)
			return SBX_BAD_VALUE;
	}
	for (size_t i = 0; i < KEYS; i++) {
		if (!seen[i] && !keys[i].many)
			return SBX_BAD_VALUE;
	}
	return SBX_OK;
}

/* Into memory of the caller's: the warm path allocates nothing. */
static enum sbx_err
read_whole(int fd, uint8_t *ret, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, ret + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < size) || (n < 0 && errno == EINTR));
	if (n < 0)
		return SBX_IO;
	*ret_len = len;
	return len == size ? SBX_TOO_LARGE : SBX_OK;
}

static bool
put_path(const char *cache, const struct alias *alias, const char *name,
    char ret[static PATH_LEN])
{
	return snprintf(ret, PATH_LEN, "%s/%s/%s", cache, alias->text, name) <
	    PATH_LEN;
}

static enum sbx_err
read_session(const char *cache, const struct alias *alias, uid_t owner,
    struct session *ret)
{
	char path[PATH_LEN];
	uint8_t bytes[SESSION_FILE_MAX + 1];
	cleanup_close int fd = -1;
	struct session found = { 0 };
	enum sbx_err err;
	size_t len;

	if (!put_path(cache, alias, CACHE_SESSION, path))
		return SBX_BAD_VALUE;
	err = file_open_trusted(path, owner, /* forbidden= */ 077, &fd, NULL);
	if (err == SBX_NOT_FOUND)
		return err;
	if (err != SBX_OK ||
	    read_whole(fd, bytes, sizeof(bytes), &len) != SBX_OK ||
	    parse(VIEW(bytes, len), &found) != SBX_OK ||
	    strcmp(found.id, alias->id) != 0)
		return SBX_BAD_VALUE;
	*ret = found;
	return SBX_OK;
}

enum sbx_err
session_read(const char *cache, const struct alias *alias, struct session *ret)
{
	return read_session(cache, alias, geteuid(), ret);
}

/* A link to a key of the user's own is there, wherever it leads. */
static bool
is_there(const char *cache, const struct alias *alias, uid_t owner,
    enum session_file file)
{
	char path[PATH_LEN];
	struct stat st;

	return put_path(cache, alias, file_names[file], path) &&
	    lstat(path, &st) == 0 && st.st_size > 0 &&
	    (file != SESSION_HOSTS || hosts_is_sound(&st, owner));
}

bool
session_is_local(const struct session *session)
{
	const char *path;

	for (size_t i = 0; i < session->endpoint_count; i++) {
		if (!unix_path(session->endpoint[i], &path))
			return false;
	}
	return session->endpoint_count > 0;
}

static bool
has_anew(const char *cache, const struct alias *alias)
{
	char path[PATH_LEN];
	struct stat st;

	return put_path(cache, alias, CACHE_ANEW, path) &&
	    lstat(path, &st) == 0;
}

enum sbx_err
session_find(const char *cache, const struct alias *alias, struct session *ret)
{
	struct session found;
	uid_t owner = geteuid();
	enum sbx_err err = read_session(cache, alias, owner, &found);

	if (err != SBX_OK)
		return err;
	for (size_t i = 0; i < SESSION_FILES; i++) {
		if (found.file[i] && !is_there(cache, alias, owner, i))
			return SBX_NOT_FOUND;
	}
	found.anew = !session_is_local(&found) && has_anew(cache, alias);
	*ret = found;
	return SBX_OK;
}

void
session_put(const struct session *session, struct buf *ret)
{
	buf_printf(ret, "version=%d\nid=%s\nincarnation=%s\n", SESSION_VERSION,
	    session->id, session->incarnation);
	buf_printf(ret, "user=%s\nstate=%s\n", session->user,
	    session->running ? RUNNING : "stopped");
	buf_printf(ret, "not_after=%" PRIu64 "\nsingle_use=%s\n",
	    session->not_after, session->single_use ? "yes" : "no");
	if (session->local_kex)
		buf_put_text(ret, "local_kex=yes\n");
	buf_printf(
	    ret, "broker=%s\norigin=%s\n", session->broker, session->origin);
	if (session->shell_tried)
		buf_put_text(ret, "shell=" TRIED "\n");
	for (size_t i = 0; i < SESSION_FILES; i++) {
		if (session->file[i])
			buf_printf(ret, "file=%s\n", file_names[i]);
	}
	for (size_t i = 0; i < session->endpoint_count; i++)
		buf_printf(ret, "endpoint=%s\n", session->endpoint[i]);
}

bool
session_is_valid(const struct session *session, uint64_t now)
{
	return session->not_after > now;
}

bool
session_is_there(const struct session *session)
{
	struct stat st;

	for (size_t i = 0; i < session->endpoint_count; i++) {
		const char *path;

		if (!unix_path(session->endpoint[i], &path))
			return session->running && !session->anew;
		if (lstat(path, &st) == 0 ||
		    (errno != ENOENT && errno != ENOTDIR))
			return true;
	}
	return false;
}

bool
session_is_fresh(
    const struct session *session, uint64_t now, const char *origin)
{
	return !session->single_use && session_is_valid(session, now) &&
	    session->not_after - now > SESSION_MARGIN &&
	    strcmp(session->origin, origin) == 0;
}
