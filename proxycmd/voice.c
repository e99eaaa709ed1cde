/* SPDX-License-Identifier: ISC */
#include "proxycmd/voice.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"

static bool
is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int
voice_borrow(pid_t parent)
{
	cleanup_close int theirs = -1;
	char path[64];
	struct stat st;
	int ours;

	if (fstat(STDERR_FILENO, &st) < 0 || !is_null(&st))
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/2", (long)parent);
	if (stat(path, &st) < 0 || is_null(&st) ||
	    !(S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)))
		return -1;
	/* A pipe without a reader would be waited for. */
	theirs = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (theirs < 0 ||
	    fcntl(theirs, F_SETFL, fcntl(theirs, F_GETFL) & ~O_NONBLOCK) < 0)
		return -1;
	ours = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (ours >= 0)
		(void)dup2(theirs, STDERR_FILENO);
	return ours;
}

void
voice_return(int borrowed)
{
	if (borrowed < 0)
		return;
	(void)dup2(borrowed, STDERR_FILENO);
	(void)close(borrowed);
}
