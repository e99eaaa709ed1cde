/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/caller.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/dial/deadline.h"
#include "proxycmd/ssh_args.h"

#define GENERATIONS 4 /* sandbox-proxy, a shell, ssh; and one to spare */
#define STAT_MAX 1024
#define START_FIELD 22 /* of /proc/PID/stat, see proc(5) */
#define PARENT_FIELD 4
#define OPTION "ConnectTimeout"

/* /proc/PID/NAME; false if it cannot be read. */
static bool
read_proc(pid_t pid, const char *name, struct buf *ret)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return file_read(AT_FDCWD, path, ret, NULL) == SBX_OK && ret->len > 0;
}

/* Fields 3 and up, behind the name, which may hold blanks. */
static bool
find_field(const char *stat, int field, uint64_t *ret)
{
	const char *name_end = strrchr(stat, ')');
	struct view rest, word = { 0 };
	char digits[24];

	if (name_end == NULL)
		return false;
	rest = VIEW_STR(name_end + 1);
	for (int i = 2; i < field; i++) {
		if (!text_next_word(&rest, &word))
			return false;
	}
	return text_copy(word, digits, sizeof(digits)) == SBX_OK &&
	    text_uint(digits, 0, INT64_MAX, ret) == SBX_OK;
}

static uint64_t
milliseconds(clockid_t clock)
{
	struct timespec t = { 0 };

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
caller_connect_timeout(struct view words)
{
	struct ssh_args args = SSH_ARGS(words);
	uint64_t seconds = 0;
	struct view value;
	char letter, text[16];

	while (seconds == 0 && ssh_args_next(&args, &letter, &value)) {
		/* "5", "1m" */
		if (letter == 'o' &&
		    ssh_args_option(value, OPTION, sizeof(text), text) &&
		    text_uint(text, 1, INT32_MAX, &seconds) != SBX_OK &&
		    text_duration(text, &seconds) != SBX_OK)
			seconds = 0;
	}
	return seconds;
}

static void
take_ssh(pid_t pid, uint64_t start, struct caller *ret)
{
	cleanup_buf struct buf words = BUF_INIT(SSH_ARGS_MAX);
	uint64_t since = milliseconds(CLOCK_BOOTTIME);

	start = start * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	since = since > start ? since - start : 0;
	ret->is_ssh = true;
	ret->began = ret->began > since ? ret->began - since : 0;
	ret->connect_timeout =
	    caller_connect_timeout(ssh_args_of(pid, &words).rest);
}

void
caller_find(pid_t pid, struct caller *ret)
{
	*ret = (struct caller){ .began = deadline_now() };
	for (int i = 0; i < GENERATIONS && pid > 1; i++) {
		cleanup_buf struct buf stat = BUF_INIT(STAT_MAX);
		uint64_t parent, start;

		if (!read_proc(pid, "stat", &stat) ||
		    !find_field(buf_text(&stat), PARENT_FIELD, &parent) ||
		    !find_field(buf_text(&stat), START_FIELD, &start))
			return;
		if (strstr(buf_text(&stat), " (ssh) ") != NULL) {
			take_ssh(pid, start, ret);
			return;
		}
		pid = (pid_t)parent;
	}
}
