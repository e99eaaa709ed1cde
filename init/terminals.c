/* SPDX-License-Identifier: ISC */
#include "init/terminals.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

static int
open_terminal(const char *name, int flags, struct stat *ret)
{
	cleanup_close int dir =
	    open(TERMINALS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -1;

	if (dir < 0 || strspn(name, "0123456789") != strlen(name))
		return -1;
	fd = openat(
	    dir, name, flags | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, ret) < 0 || !S_ISCHR(ret->st_mode))
		return -1;
	return steal_fd(&fd);
}

bool
terminal_write(const char *name, const char *text)
{
	struct stat st;
	cleanup_close int fd = open_terminal(name, O_WRONLY, &st);

	return fd >= 0 && (st.st_mode & S_IWGRP) != 0 &&
	    write(fd, text, strlen(text)) > 0;
}

int64_t
terminal_used(const char *name)
{
	struct stat st;
	cleanup_close int fd = open_terminal(name, O_PATH, &st);

	if (fd < 0)
		return -1;
	return st.st_atime > st.st_mtime ? st.st_atime : st.st_mtime;
}
