/* SPDX-License-Identifier: ISC */
/*
 * For tests that let ssh-keygen speak: a folder of their own, files in it,
 * and programs run in it.
 */
#ifndef SBX_TESTS_SCRATCH_H
#define SBX_TESTS_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"

/* Not in cmocka's state: a group's state hides those of its tests. */
static char scratch_path[256];

/* A new empty folder, made the current one. */
static inline int
scratch_enter(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	(void)snprintf(scratch_path, sizeof(scratch_path),
	    "%s/sandbox-ssh.XXXXXX", base == NULL ? "/tmp" : base);
	return mkdtemp(scratch_path) == NULL ? -1 : chdir(scratch_path);
}

static inline int
scratch_remove(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline int
scratch_leave(void **state)
{
	(void)state;
	if (chdir("/") < 0)
		return -1;
	return nftw(scratch_path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline bool
scratch_write(const char *name, mode_t mode, struct view bytes)
{
	return file_write_atomic(AT_FDCWD, name, mode, bytes, NULL) == SBX_OK;
}

/*
 * Run a program; what it prints is appended to ret (NULL: thrown away).
 * Its exit status, or -1.
 */
static inline int
scratch_run(struct buf *ret, const char *const argv[])
{
	int fds[2], status = 0;
	bool read_all = true;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, STDIN_FILENO);
		(void)dup2(ret == NULL ? null : fds[1], STDOUT_FILENO);
		(void)execvp(argv[0], (char **)argv);
		_exit(127);
	}
	(void)close(fds[1]);
	if (ret != NULL)
		read_all = file_read_fd(fds[0], ret) == SBX_OK;
	(void)close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !read_all)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(ret, ...) \
	scratch_run(ret, (const char *const[]){ __VA_ARGS__, NULL })

#endif
