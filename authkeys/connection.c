/* SPDX-License-Identifier: ISC */
#include "authkeys/connection.h"

#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define PROC_FILE_MAX 4096
#define BOOT_ID_LEN 36
#define NUMBER_LEN 24

/* proc(5) counts from 1: the process id, (the command), the state, ... */
#define FIELD_AFTER_COMMAND 3
#define FIELD_START_TIME 22

static enum sbx_err
unknown(struct sbx_why *why, const char *what)
{
	return sbx_fail(why, SBX_CONNECTION,
	    "cannot tell this connection from others: %s", what);
}

static enum sbx_err
read_boot(int proc, char ret[static BOOT_ID_LEN + 1], struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(PROC_FILE_MAX);
	struct sbx_why said = { "" };
	struct view line;

	if (file_read(proc, "sys/kernel/random/boot_id", &text, &said) !=
	    SBX_OK)
		return unknown(why, said.text);
	line = buf_view(&text);
	if (line.len != BOOT_ID_LEN + 1 || line.p[BOOT_ID_LEN] != '\n' ||
	    strspn((const char *)line.p, "0123456789abcdef-") != BOOT_ID_LEN)
		return unknown(why, "boot_id is malformed");
	return text_copy(VIEW(line.p, BOOT_ID_LEN), ret, BOOT_ID_LEN + 1);
}

/* "pid:[4026531836]", of which the number counts. */
static enum sbx_err
read_namespace(int proc, char ret[static NUMBER_LEN], struct sbx_why *why)
{
	char link[64];
	ssize_t n = readlinkat(proc, "self/ns/pid", link, sizeof(link));
	size_t digits;

	if (n <= 6 || n == (ssize_t)sizeof(link) ||
	    memcmp(link, "pid:[", 5) != 0 || link[n - 1] != ']')
		return unknown(why, "self/ns/pid is unreadable");
	link[n] = '\0';
	digits = strspn(link + 5, "0123456789");
	if (5 + digits + 1 != (size_t)n)
		return unknown(why, "self/ns/pid is malformed");
	if (text_copy(VIEW(link + 5, digits), ret, NUMBER_LEN) != SBX_OK)
		return unknown(why, "self/ns/pid is malformed");
	return SBX_OK;
}

/*
 * The command stands in parentheses and may hold anything, parentheses and
 * blanks too; after the last one there are only numbers and one letter.
 */
static enum sbx_err
find_start_time(struct view stat, uint64_t *ret)
{
	struct view rest, word;
	size_t i = stat.len;
	char number[NUMBER_LEN];

	while (i > 0 && stat.p[i - 1] != ')')
		i--;
	if (i == 0)
		return SBX_CONNECTION;
	rest = VIEW(stat.p + i, stat.len - i);
	if (rest.len > 0 && rest.p[rest.len - 1] == '\n')
		rest.len--;
	for (int field = FIELD_AFTER_COMMAND; field <= FIELD_START_TIME;
	     field++) {
		if (!text_next_word(&rest, &word))
			return SBX_CONNECTION;
	}
	if (text_copy(word, number, sizeof(number)) != SBX_OK ||
	    text_uint(number, 1, UINT64_MAX, ret) != SBX_OK)
		return SBX_CONNECTION;
	return SBX_OK;
}

static enum sbx_err
read_start_time(int proc, pid_t parent, uint64_t *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(PROC_FILE_MAX);
	struct sbx_why said = { "" };
	char name[NUMBER_LEN + 8];

	(void)snprintf(name, sizeof(name), "%ld/stat", (long)parent);
	if (file_read(proc, name, &text, &said) != SBX_OK)
		return unknown(why, said.text);
	if (find_start_time(buf_view(&text), ret) != SBX_OK)
		return unknown(why, "its process's stat is malformed");
	return SBX_OK;
}

enum sbx_err
connection_find(
    const char *proc, pid_t parent, struct connection *ret, struct sbx_why *why)
{
	cleanup_close int dir = -1;
	char boot[BOOT_ID_LEN + 1], namespace[NUMBER_LEN];
	uint64_t start = 0;
	enum sbx_err err;

	if (parent <= 0)
		return unknown(why, "its process is in another PID namespace");
	if (file_open_dir(AT_FDCWD, proc, &dir, NULL) != SBX_OK)
		return unknown(why, "there is no /proc");
	err = read_boot(dir, boot, why);
	if (err == SBX_OK)
		err = read_namespace(dir, namespace, why);
	if (err == SBX_OK)
		err = read_start_time(dir, parent, &start, why);
	if (err != SBX_OK)
		return err;
	(void)snprintf(ret->text, sizeof(ret->text), "%s %s %ld %llu", boot,
	    namespace, (long)parent, (unsigned long long)start);
	return SBX_OK;
}

enum sbx_err
connection_of_parent(struct connection *ret, struct sbx_why *why)
{
	pid_t parent = getppid();
	enum sbx_err err = connection_find("/proc", parent, ret, why);

	/* Had it ended meanwhile, another could have had its number. */
	if (err == SBX_OK && getppid() != parent)
		return unknown(why, "it has ended");
	return err;
}
