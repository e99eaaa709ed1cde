/* SPDX-License-Identifier: ISC */
#include "proxycmd/asked.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"

#define LINE_LEN (NAME_ALIAS_MAX + 96)

/* All but the status, as it stands in the file. */
static void
put_start(const struct alias *alias, pid_t ssh, uint64_t when,
    char ret[static LINE_LEN])
{
	(void)snprintf(
	    ret, LINE_LEN, "%ld %" PRIu64 " %s ", (long)ssh, when, alias->text);
}

bool
asked_find(const char *cache, const struct alias *alias, pid_t ssh,
    uint64_t now, int *ret_status)
{
	cleanup_buf struct buf text = BUF_INIT(LINE_LEN);
	char path[PATHS_MAX], start[LINE_LEN];
	uint64_t when;
	int status;

	if (paths_join(cache, ASKED_FILE, path) != SBX_OK ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK ||
	    sscanf(buf_text(&text), "%*d %" SCNu64, &when) != 1 || when > now ||
	    now - when > ASKED_SECONDS)
		return false;
	put_start(alias, ssh, when, start);
	if (strncmp(buf_text(&text), start, strlen(start)) != 0 ||
	    sscanf(buf_text(&text) + strlen(start), "%d", &status) != 1)
		return false;
	*ret_status = status;
	return true;
}

void
asked_put(const char *cache, const struct alias *alias, pid_t ssh, uint64_t now,
    int status)
{
	char path[PATHS_MAX], line[LINE_LEN];
	cleanup_close int fd = -1;
	size_t len;

	if (paths_join(cache, ASKED_FILE, path) != SBX_OK)
		return;
	fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	put_start(alias, ssh, now, line);
	len = strlen(line);
	(void)snprintf(line + len, sizeof(line) - len, "%d\n", status);
	if (fd >= 0 && file_write_fd(fd, VIEW_STR(line)) != SBX_OK)
		(void)unlink(path);
}
