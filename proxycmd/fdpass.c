/* SPDX-License-Identifier: ISC */
#include "proxycmd/fdpass.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/hosts.h"

#define NOTE ".no-fdpass"
#define NOTE_MAX (2 * sizeof(struct fdpass_note))

#define LINE(member)                                               \
	{                                                          \
#member "=", offsetof(struct fdpass_note, member), \
		    sizeof(((struct fdpass_note *)0)->member)      \
	}

static const struct {
	const char *key;
	size_t offset, size;
} lines[] = { LINE(shell), LINE(level), LINE(bash_env), LINE(cause) };

#define LINES (sizeof(lines) / sizeof(lines[0]))

static void
take_line(struct view line, struct fdpass_note *ret)
{
	for (size_t i = 0; i < LINES; i++) {
		size_t len = strlen(lines[i].key);

		if (line.len >= len && memcmp(line.p, lines[i].key, len) == 0)
			(void)snprintf((char *)ret + lines[i].offset,
			    lines[i].size, "%.*s", (int)(line.len - len),
			    (const char *)line.p + len);
	}
}

bool
fdpass_is_off(const char *cache, struct fdpass_note *ret)
{
	cleanup_buf struct buf text = BUF_INIT(NOTE_MAX);
	char path[PATHS_MAX];
	struct view rest, line;

	if (paths_join(cache, NOTE, path) != SBX_OK)
		return false;
	if (ret == NULL)
		return access(path, F_OK) == 0;
	*ret = (struct fdpass_note){ .shell = "" };
	if (file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	rest = buf_view(&text);
	while (text_next_line(&rest, &line))
		take_line(line, ret);
	return true;
}

/* No path of sense has a line break in it, and no other one is kept. */
static void
put_line(const char *key, const char *value, struct buf *ret)
{
	buf_printf(ret, "%s%.*s\n", key, (int)strcspn(value, "\n"), value);
}

static enum sbx_err
put_note(int cache_fd, const struct fdpass_note *note, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(NOTE_MAX);

	for (size_t i = 0; i < LINES; i++)
		put_line(
		    lines[i].key, (const char *)note + lines[i].offset, &text);
	return buf_error(&text) != SBX_OK
	    ? buf_error(&text)
	    : file_write_atomic(cache_fd, NOTE, 0600, buf_view(&text), why);
}

enum sbx_err
fdpass_switch_off(const char *cache, const struct shell *shell,
    const struct shell_finding *finding, uint64_t now, struct sbx_why *why)
{
	cleanup_close int fd = -1;
	struct fdpass_note note;
	enum sbx_err err = file_open_dir(AT_FDCWD, cache, &fd, why);

	(void)snprintf(note.shell, sizeof(note.shell), "%s", shell->path);
	(void)snprintf(note.level, sizeof(note.level), "%s",
	    shell->level == NULL ? "" : shell->level);
	(void)snprintf(note.bash_env, sizeof(note.bash_env), "%s",
	    shell->bash_env == NULL ? "" : shell->bash_env);
	shell_put(shell, finding, note.cause);
	if (err == SBX_OK)
		err = put_note(fd, &note, why);
	if (err == SBX_OK)
		err = hosts_update(cache, fd, now, why);
	return err != SBX_OK
	    ? err
	    : sbx_fail(why, SBX_OK,
		  "%.300s: ssh cannot be handed a connection behind that, "
		  "and uses a relay from now on: see sandbox-proxy doctor",
		  note.cause);
}

enum sbx_err
fdpass_switch_on(const char *cache, uint64_t now, struct sbx_why *why)
{
	cleanup_close int fd = -1;
	enum sbx_err err = file_open_dir(AT_FDCWD, cache, &fd, why);

	if (err == SBX_OK && unlinkat(fd, NOTE, 0) < 0)
		err = sbx_fail(why, SBX_IO, "cannot remove %s/" NOTE ": %s",
		    cache, strerror(errno));
	return err != SBX_OK ? err : hosts_update(cache, fd, now, why);
}
