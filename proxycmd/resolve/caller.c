/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/caller.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/dial/deadline.h"

#define GENERATIONS 4 /* sandbox-proxy, a shell, ssh; and one to spare */
#define STAT_MAX 1024
#define WORDS_MAX 65536
#define START_FIELD 22 /* of /proc/PID/stat, see proc(5) */
#define PARENT_FIELD 4
/* ssh's options that take a word, of any release. */
#define WITH_WORD "BbcDEeFIiJLlmOoPpQRSWw"
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

/* "5", "1m": what stands behind the keyword. */
static uint64_t
seconds_of(struct view option)
{
	size_t len = strlen(OPTION);
	char text[16];
	uint64_t seconds;

	if (option.len <= len ||
	    strncasecmp((const char *)option.p, OPTION, len) != 0)
		return 0;
	option = VIEW(option.p + len, option.len - len);
	while (option.len > 0 && memchr(" \t=\"", option.p[0], 4) != NULL)
		option = VIEW(option.p + 1, option.len - 1);
	if (text_copy(option, text, sizeof(text)) != SBX_OK)
		return 0;
	text[strcspn(text, "\" \t")] = '\0';
	return text_uint(text, 1, INT32_MAX, &seconds) == SBX_OK ||
		text_duration(text, &seconds) == SBX_OK
	    ? seconds
	    : 0;
}

static bool
next_word(struct view *words, struct view *ret)
{
	size_t len =
	    words->len == 0 ? 0 : strnlen((const char *)words->p, words->len);

	if (words->len == 0)
		return false;
	*ret = VIEW(words->p, len);
	if (len < words->len)
		len++;
	*words = VIEW(words->p + len, words->len - len);
	return true;
}

uint64_t
caller_connect_timeout(struct view words)
{
	unsigned operands = 0;
	struct view word;
	uint64_t seconds = 0;

	/* Options may follow the host, but not the command. */
	while (next_word(&words, &word) && operands < 3 && seconds == 0) {
		if (word.len < 2 || word.p[0] != '-') {
			operands++; /* the first is the program */
			continue;
		}
		if (word.len == 2 && word.p[1] == '-')
			break;
		for (size_t i = 1; i < word.len; i++) {
			uint8_t letter = word.p[i];

			if (strchr(WITH_WORD, letter) == NULL)
				continue;
			word = VIEW(word.p + i + 1, word.len - i - 1);
			if (word.len == 0 && !next_word(&words, &word))
				break;
			if (letter == 'o')
				seconds = seconds_of(word);
			break;
		}
	}
	return seconds;
}

static void
take_ssh(pid_t pid, uint64_t start, struct caller *ret)
{
	cleanup_buf struct buf words = BUF_INIT(WORDS_MAX);
	uint64_t since = milliseconds(CLOCK_BOOTTIME);

	start = start * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	since = since > start ? since - start : 0;
	ret->is_ssh = true;
	ret->began = ret->began > since ? ret->began - since : 0;
	if (read_proc(pid, "cmdline", &words))
		ret->connect_timeout = caller_connect_timeout(buf_view(&words));
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
