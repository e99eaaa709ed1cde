/* SPDX-License-Identifier: ISC */
/*
 * Faults by script: what the system is asked for works, fails or does a part,
 * as the input's bytes say.  For targets that are linked with FAULT_FLAGS and
 * consist of one file.
 */
#ifndef SBX_TESTS_FAULT_H
#define SBX_TESTS_FAULT_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

/* Where the next fault comes from; none while armed is false. */
static struct view script;
static bool armed;

enum fate { WORKS, FAILS, PARTLY };

static inline uint8_t
next_byte(void)
{
	uint8_t byte = 0;

	if (script.len > 0) {
		byte = *script.p++;
		script.len--;
	}
	return byte;
}

/*
 * Not ENOENT: that a file is missing which is there is no failure but a lie,
 * and a folder that lost its floor has no memory to go by.
 */
static inline enum fate
next_fate(void)
{
	static const int errors[] = { EIO, ENOSPC, EINTR, EACCES, EMFILE,
		EEXIST, EROFS, ENOMEM };
	uint8_t byte = armed ? next_byte() : 0;

	if (byte < 0x80)
		return WORKS;
	if (byte < 0xa0)
		return PARTLY;
	errno = errors[byte % (sizeof(errors) / sizeof(errors[0]))];
	return FAILS;
}

#define WRAP(type, name, failure, parameters, arguments)               \
	type __real_##name parameters;                                 \
	type __wrap_##name parameters;                                 \
	type __wrap_##name parameters                                  \
	{                                                              \
		return next_fate() == FAILS ? failure                  \
					    : __real_##name arguments; \
	}

WRAP(void *, malloc, NULL, (size_t n), (n))
WRAP(int, open, -1, (const char *name, int flags, mode_t mode),
    (name, flags, mode))
WRAP(int, openat, -1, (int dir, const char *name, int flags, mode_t mode),
    (dir, name, flags, mode))
WRAP(int, mkdirat, -1, (int dir, const char *name, mode_t mode),
    (dir, name, mode))
WRAP(int, linkat, -1,
    (int dir, const char *name, int to, const char *new, int flags),
    (dir, name, to, new, flags))
WRAP(int, renameat, -1, (int dir, const char *name, int to, const char *new),
    (dir, name, to, new))

/* Nothing is lost here but by a crash, so the disk need not be asked. */
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	(void)fd;
	return next_fate() == FAILS ? -1 : 0;
}

#define WRAP_BYTES(name, parameters, arguments, n) \
	ssize_t __real_##name parameters;          \
	ssize_t __wrap_##name parameters;          \
	ssize_t __wrap_##name parameters           \
	{                                          \
		enum fate fate = next_fate();      \
                                                   \
		if (fate == FAILS)                 \
			return -1;                 \
		if (fate == PARTLY && n > 1)       \
			n = 1 + n / 3;             \
		return __real_##name arguments;    \
	}

WRAP_BYTES(read, (int fd, void *p, size_t n), (fd, p, n), n)
WRAP_BYTES(write, (int fd, const void *p, size_t n), (fd, p, n), n)
WRAP_BYTES(pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), n)

#endif
