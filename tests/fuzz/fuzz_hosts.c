/* SPDX-License-Identifier: ISC */
/*
 * From what a broker said to what ssh reads: a session and a list of ids in
 * the cache become hosts.conf, which has names and users in it and nothing
 * else.  The input: a session file up to the first NUL, then the list.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/hosts.h"
#include "proxycmd/known.h"
#include "proxycmd/session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/tmpdir.h"

#define NOW 1800000000
#define ALIAS "run-1234.sandbox"

static char cache[256];
static int cache_fd = -1;

static void
remove_cache(void)
{
	(void)nftw(cache, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
make_cache(void)
{
	if (cache_fd >= 0)
		return;
	fuzz_folder(cache, sizeof(cache));
	FUZZ_ASSERT(atexit(remove_cache) == 0);
	FUZZ_ASSERT(file_open_dir(AT_FDCWD, cache, &cache_fd, NULL) == SBX_OK);
	FUZZ_ASSERT(mkdirat(cache_fd, ALIAS, 0700) == 0);
}

static void
write_session(struct view text)
{
	cleanup_close int fd = openat(cache_fd, ALIAS "/session",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	FUZZ_ASSERT(fd >= 0);
	FUZZ_ASSERT(file_write_fd(fd, text) == SBX_OK);
}

/* A word of the line behind what it starts with. */
static bool
take_rest(struct view line, const char *start, char *ret, size_t size)
{
	size_t len = strlen(start);

	return line.len >= len && memcmp(line.p, start, len) == 0 &&
	    text_copy(VIEW(line.p + len, line.len - len), ret, size) == SBX_OK;
}

static void
check_user(char *quoted)
{
	size_t len = strlen(quoted);

	FUZZ_ASSERT(len > 2 && quoted[0] == '"' && quoted[len - 1] == '"');
	quoted[len - 1] = '\0';
	FUZZ_ASSERT(hosts_is_user(quoted + 1));
	FUZZ_ASSERT(strpbrk(quoted + 1, " \t\"'`$\\") == NULL);
}

static void
check_hosts(struct view text)
{
	char word[2 * SESSION_USER_LEN], last[NAME_ALIAS_MAX + 1] = "";
	struct alias alias;
	struct view line;

	FUZZ_ASSERT(text_next_line(&text, &line) && line.p[0] == '#');
	while (text_next_line(&text, &line)) {
		if (take_rest(line, "    User ", word, sizeof(word))) {
			FUZZ_ASSERT(strcmp(last, ALIAS) == 0);
			check_user(word);
			continue;
		}
		FUZZ_ASSERT(take_rest(line, "Host ", word, sizeof(word)));
		FUZZ_ASSERT(name_parse_alias(word, NAME_SUFFIX_DEFAULT, &alias,
				NULL) == SBX_OK);
		/* Sorted, and each of them once. */
		FUZZ_ASSERT(strcmp(last, word) < 0);
		FUZZ_ASSERT(
		    text_copy(VIEW_STR(word), last, sizeof(last)) == SBX_OK);
	}
}

/* The same names, for people: lines that cannot do anything to a terminal. */
static void
check_known(void)
{
	cleanup_buf struct buf text = BUF_INIT(KNOWN_MAX);

	FUZZ_ASSERT(known_put(cache, /* json= */ false, &text, NULL) == SBX_OK);
	for (size_t i = 0; i < text.len; i++)
		FUZZ_ASSERT(
		    text.p[i] == '\n' || (text.p[i] > ' ' && text.p[i] < 0x7f));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	const uint8_t *end = size == 0 ? NULL : memchr(bytes, '\0', size);
	size_t len = end == NULL ? size : (size_t)(end - bytes);
	struct view ids = VIEW(
	    bytes + (end == NULL ? len : len + 1), size - len - (end != NULL));

	make_cache();
	write_session(VIEW(bytes, len));
	FUZZ_ASSERT(hosts_put_listed(cache_fd, NAME_SUFFIX_DEFAULT,
			/* complete= */ len % 2 == 0, ids, NULL) == SBX_OK);
	FUZZ_ASSERT(hosts_update(cache, cache_fd, NOW, NULL) == SBX_OK);
	FUZZ_ASSERT(file_read(cache_fd, CACHE_HOSTS, &text, NULL) == SBX_OK);
	check_hosts(buf_view(&text));
	check_known();
	return 0;
}
