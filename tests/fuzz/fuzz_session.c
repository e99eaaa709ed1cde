/* SPDX-License-Identifier: ISC */
/*
 * A session file of the cache.  One that is accepted, written out and read
 * again, is the same.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "proxycmd/session.h"
#include "tests/fuzz/fuzz.h"

static char cache[256];
static char folder[512], path[1024];

static void
remove_cache(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
	(void)rmdir(cache);
}

static void
make_cache(const struct alias *alias)
{
	if (folder[0] != '\0')
		return;
	fuzz_folder(cache, sizeof(cache));
	(void)snprintf(folder, sizeof(folder), "%s/%s", cache, alias->text);
	(void)snprintf(path, sizeof(path), "%s/session", folder);
	FUZZ_ASSERT(mkdir(folder, 0700) == 0);
	FUZZ_ASSERT(atexit(remove_cache) == 0);
}

static void
write_session(struct view text)
{
	cleanup_close int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	FUZZ_ASSERT(fd >= 0);
	FUZZ_ASSERT(file_write_fd(fd, text) == SBX_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT(2 * SESSION_FILE_MAX);
	static const char name[] = "run-1234.sandbox";
	struct session found = { .id = "" }, again = { .id = "" };
	struct alias alias;

	FUZZ_ASSERT(name_parse_alias(name, NAME_SUFFIX_DEFAULT, &alias, NULL) ==
	    SBX_OK);
	make_cache(&alias);
	write_session(VIEW(bytes, size));
	if (session_read(cache, &alias, &found) != SBX_OK)
		return 0;
	FUZZ_ASSERT(strcmp(found.id, alias.id) == 0);
	FUZZ_ASSERT(found.user[0] != '\0');
	FUZZ_ASSERT(found.endpoint_count <= SESSION_ENDPOINTS);
	session_put(&found, &text);
	FUZZ_ASSERT(buf_error(&text) == SBX_OK);
	write_session(buf_view(&text));
	FUZZ_ASSERT(session_read(cache, &alias, &again) == SBX_OK);
	FUZZ_ASSERT(memcmp(&found, &again, sizeof(found)) == 0);
	return 0;
}
