/* SPDX-License-Identifier: ISC */
#include "ctl/own_config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/name.h"
#include "ctl/ctl.h"
#include "net/spawn.h"

#define PRINT_SECONDS 10

/* Beside us; ssh's own way to it is in what it prints. */
static enum sbx_err
find_proxy(char ret[static PATHS_MAX], struct sbx_why *why)
{
	char self[PATHS_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len < 0 ? 0 : len] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	if (slash == NULL || paths_join(self, "sandbox-proxy", ret) != SBX_OK)
		return sbx_fail(why, SBX_PROGRAM, "cannot find sandbox-proxy");
	return SBX_OK;
}

/* What names end in, where that is nothing of the usual. */
static const char *
suffix_of(const char *name)
{
	return name_has_suffix(name, NAME_SUFFIX_DEFAULT)
	    ? NULL
	    : name + strcspn(name, ".") + 1;
}

enum sbx_err
own_config_put(
    const char *cache, const char *name, struct buf *ret, struct sbx_why *why)
{
	char program[PATHS_MAX];
	const char *argv[9] = { program };
	struct spawn spawn = { argv, STDOUT_FILENO, false, NULL,
		PRINT_SECONDS };
	const char *suffix = suffix_of(name);
	int argc = 1, status = 0;
	enum sbx_err err = find_proxy(program, why);

	if (cache != NULL) {
		argv[argc++] = "--cache";
		argv[argc++] = cache;
	}
	if (*ctl_globals.config != '\0') {
		argv[argc++] = "--config";
		argv[argc++] = ctl_globals.config;
	}
	if (suffix != NULL) {
		argv[argc++] = "--suffix";
		argv[argc++] = suffix;
	}
	argv[argc] = "print-config";
	if (err == SBX_OK)
		err = spawn_run(&spawn, &status, ret, why);
	if (err == SBX_OK && status != 0)
		return sbx_fail(why, SBX_PROGRAM,
		    "cannot run %s: is sandbox-ssh installed completely?",
		    program);
	return err;
}

enum sbx_err
own_config_open(const char *name, int *ret_fd, char ret_path[static PATHS_MAX],
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OWN_CONFIG_MAX);
	cleanup_close int fd = -1;
	enum sbx_err err = own_config_put(/* cache= */ NULL, name, &text, why);

	if (err != SBX_OK)
		return err;
	fd = memfd_create("ssh_config", MFD_CLOEXEC);
	if (fd < 0 || write(fd, buf_text(&text), text.len) != (ssize_t)text.len)
		return sbx_fail(
		    why, SBX_IO, "cannot write in memory: %s", strerror(errno));
	(void)snprintf(
	    ret_path, PATHS_MAX, "/proc/%ld/fd/%d", (long)getpid(), fd);
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}
