/* SPDX-License-Identifier: ISC */
#include "ctl/limited.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/own_config.h"
#include "ctl/resolve.h"

bool
limited_is_wanted(const struct limits_wanted *wanted)
{
	return *wanted->permit != '\0' || *wanted->source_address != '\0' ||
	    *wanted->force_command != '\0' || wanted->single_use;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *level)
{
	(void)st, (void)type, (void)level;
	(void)remove(path);
	return 0;
}

void
limited_drop(struct limited *limited)
{
	if (*limited->folder != '\0')
		(void)nftw(limited->folder, remove_one, 8,
		    FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	*limited->folder = '\0';
}

static enum sbx_err
make_folder(const struct paths *paths, struct limited *ret, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err = file_mkdirs(paths->cache, 0700, why);

	if (err == SBX_OK)
		err = paths_join(paths->cache, ".limited.XXXXXX", path);
	if (err != SBX_OK)
		return err;
	if (mkdtemp(path) == NULL)
		return sbx_fail(why, SBX_IO, "cannot create a folder in %s: %s",
		    paths->cache, strerror(errno));
	memcpy(ret->folder, path, sizeof(ret->folder));
	return paths_join(ret->folder, "config", ret->config);
}

static enum sbx_err
write_config(
    const char *name, const struct limited *limited, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OWN_CONFIG_MAX);
	cleanup_close int dir = -1;
	enum sbx_err err = own_config_put(limited->folder, name, &text, why);

	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, limited->folder, &dir, why);
	return err != SBX_OK
	    ? err
	    : file_write_atomic(dir, "config", 0600, buf_view(&text), why);
}

enum sbx_err
limited_make(const struct paths *paths, const char *name,
    const struct limits_wanted *wanted, struct limited *ret, int *ret_status,
    struct sbx_why *why)
{
	char ttl[TEXT_DURATION_LEN];
	struct resolve_options options = { .cache = ret->folder };
	enum sbx_err err = make_folder(paths, ret, why);
	const struct {
		const char *option, *value;
	} texts[] = {
		{ "--permit", wanted->permit },
		{ "--source-address", wanted->source_address },
		{ "--force-command", wanted->force_command },
		{ "--ttl", wanted->ttl == 0 ? "" : ttl },
	};

	text_put_duration(wanted->ttl, ttl);
	if (wanted->single_use)
		options.word[options.count++] = "--single-use";
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (*texts[i].value == '\0')
			continue;
		options.word[options.count++] = texts[i].option;
		options.word[options.count++] = texts[i].value;
	}
	if (err == SBX_OK)
		err = write_config(name, ret, why);
	if (err == SBX_OK)
		err = resolve_run(
		    paths, &options, "prepare", name, ret_status, why);
	return err;
}

/* Nothing of the terminal's or of a pipe's reader is kept from ending. */
static _Noreturn void
wait_and_drop(int process, struct limited *limited)
{
	struct pollfd ended = { process, POLLIN, 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (process > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)process - 1, 0);
	(void)close_range((unsigned)process + 1, ~0U, 0);
	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		continue;
	limited_drop(limited);
	_exit(0);
}

enum sbx_err
limited_end_with_us(struct limited *limited, struct sbx_why *why)
{
	cleanup_close int process =
	    (int)syscall(SYS_pidfd_open, (long)getpid(), 0L);
	pid_t pid = process < 0 ? -1 : fork();

	if (pid < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	if (pid == 0)
		wait_and_drop(process, limited);
	*limited->folder = '\0';
	return SBX_OK;
}
