/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/caller.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/text.h"
#include "net/spawn.h"
#include "proxycmd/delegate.h"
#include "proxycmd/dial/deadline.h"
#include "proxycmd/ssh_args.h"

#define GENERATIONS 4 /* sandbox-proxy, a shell, ssh; and one to spare */
#define STAT_MAX 1024
#define START_FIELD 22 /* of /proc/PID/stat, see proc(5) */
#define PARENT_FIELD 4
#define OPTION "ConnectTimeout"
#define ASK_SECONDS 5
/* prepare, which ssh -G runs, has nothing to do then (main.c). */
#define PROBE DELEGATE_PROBE "=1"

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
caller_seconds(const char *text)
{
	uint64_t seconds;

	return text_uint(text, 1, INT32_MAX, &seconds) == SBX_OK ||
		text_duration(text, &seconds) == SBX_OK
	    ? seconds
	    : 0;
}

void
caller_read(struct view words, struct caller *ret)
{
	struct ssh_args args = SSH_ARGS(words);
	struct view value;
	char letter, text[16];

	while (ssh_args_next(&args, &letter, &value)) {
		if (letter == 'F' &&
		    text_copy(value, ret->config, sizeof(ret->config)) !=
			SBX_OK)
			ret->config[0] = '\0';
		if (letter == 'o' && ret->connect_timeout == 0 &&
		    ssh_args_option(value, OPTION, sizeof(text), text))
			ret->connect_timeout = caller_seconds(text);
	}
	if (text_copy(args.host, ret->host, sizeof(ret->host)) != SBX_OK)
		ret->host[0] = '\0';
}

bool
caller_ask(const struct caller *caller, const char *alias, const char *file,
    struct buf *ret)
{
	const char *host = *caller->host == '\0' ? alias : caller->host;
	const char *config = file == NULL ? caller->config : file;
	const char *const usual[] = { "env", PROBE, "ssh", "-G", host, NULL };
	const char *const other[] = { "env", PROBE, "ssh", "-F", config, "-G",
		host, NULL };
	const struct spawn spawn = {
		.argv = *config == '\0' ? usual : other,
		.keep = STDOUT_FILENO,
		.silence = true,
		.timeout = ASK_SECONDS,
	};
	int status = -1;

	return spawn_run(&spawn, &status, ret, NULL) == SBX_OK &&
	    WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
caller_value(const struct buf *said, const char *option, struct view *ret)
{
	struct view rest = buf_view(said), line, word;

	while (text_next_line(&rest, &line)) {
		if (text_next_word(&line, &word) && view_eq_str(word, option))
			return text_next_word(&line, ret);
	}
	return false;
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
	caller_read(ssh_args_of(pid, &words).rest, ret);
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
