/* SPDX-License-Identifier: ISC */
/* A folder for one test, and its removal. */
#ifndef SBX_TESTS_TMPDIR_H
#define SBX_TESTS_TMPDIR_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct tmpdir {
	char path[64];
	int dir;
};

static inline void
tmpdir_make(struct tmpdir *ret)
{
	(void)snprintf(
	    ret->path, sizeof(ret->path), "/tmp/sandbox-ssh-test.XXXXXX");
	if (mkdtemp(ret->path) == NULL)
		abort();
	ret->dir = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		abort();
}

static inline int
tmpdir_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
tmpdir_remove(struct tmpdir *tmpdir)
{
	(void)close(tmpdir->dir);
	(void)nftw(tmpdir->path, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
