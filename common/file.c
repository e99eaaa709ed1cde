/* SPDX-License-Identifier: ISC */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/file.h>

#include "common/cleanup.h"

/* errno, turned into our codes, with the file named. */
static enum sbx_err
fail_to_read(struct sbx_why *why, const char *verb, const char *path)
{
	enum sbx_err err = errno == ENOENT ? SBX_NOT_FOUND
	    : errno == EIO		   ? SBX_IO
					   : SBX_UNREADABLE;

	return sbx_fail(
	    why, err, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* That a folder is missing is no other failure than one that is full. */
static enum sbx_err
fail_to_write(struct sbx_why *why, const char *verb, const char *path)
{
	return sbx_fail(
	    why, SBX_IO, "cannot %s %s: %s", verb, path, strerror(errno));
}

enum sbx_err
file_open_trusted(const char *path, uid_t owner, mode_t forbidden, int *ret_fd,
    struct sbx_why *why)
{
	/* O_NONBLOCK: a FIFO must not stop us; it is refused below. */
	cleanup_close int fd = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s is a symbolic link: name the file itself", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_to_read(why, "open", path);
	if (!S_ISREG(st.st_mode))
		return sbx_fail(
		    why, SBX_UNTRUSTED, "%s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != owner)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s belongs to uid %lu: change its owner", path,
		    (unsigned long)st.st_uid);
	if ((st.st_mode & forbidden) != 0)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s is open to others (mode %04o): chmod %s %s", path,
		    (unsigned)st.st_mode & 07777,
		    (forbidden & 044) != 0 ? "go-rwx" : "go-w", path);
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}

enum sbx_err
file_read_fd(int fd, struct buf *ret)
{
	uint8_t chunk[8192];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			buf_put(ret, chunk, (size_t)n);
	} while (
	    (n > 0 && buf_error(ret) == SBX_OK) || (n < 0 && errno == EINTR));
	sodium_memzero(chunk, sizeof(chunk));
	return n < 0 ? SBX_IO : buf_error(ret);
}

static enum sbx_err
read_named(int fd, const char *path, struct buf *ret, struct sbx_why *why)
{
	enum sbx_err err = file_read_fd(fd, ret);

	if (err == SBX_IO)
		return fail_to_read(why, "read", path);
	if (err == SBX_TOO_LARGE)
		return sbx_fail(
		    why, err, "%s is larger than %zu bytes", path, ret->cap);
	return err;
}

enum sbx_err
file_read_trusted(const char *path, uid_t owner, mode_t forbidden,
    struct buf *ret, struct sbx_why *why)
{
	cleanup_close int fd = -1;
	enum sbx_err err = file_open_trusted(path, owner, forbidden, &fd, why);

	return err != SBX_OK ? err : read_named(fd, path, ret, why);
}

enum sbx_err
file_read(int dirfd, const char *path, struct buf *ret, struct sbx_why *why)
{
	cleanup_close int fd = openat(dirfd, path,
	    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_to_read(why, "open", path);
	/* A FIFO without a writer would read as an empty file. */
	if (!S_ISREG(st.st_mode))
		return sbx_fail(
		    why, SBX_UNTRUSTED, "%s is not a regular file", path);
	return read_named(fd, path, ret, why);
}

enum sbx_err
file_write_fd(int fd, struct view bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return SBX_IO;
		bytes.p += n;
		bytes.len -= (size_t)n;
	}
	return SBX_OK;
}

enum sbx_err
file_write_atomic(int dirfd, const char *name, mode_t mode, struct view bytes,
    struct sbx_why *why)
{
	char temp[300];
	cleanup_close int fd = -1;

	if (snprintf(temp, sizeof(temp), "%s.%08x", name,
		randombytes_random()) >= (int)sizeof(temp))
		return sbx_fail(
		    why, SBX_TOO_LARGE, "%s: name is too long", name);
	fd = openat(dirfd, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_to_write(why, "create", name);
	if (fchmod(fd, mode) < 0 || file_write_fd(fd, bytes) != SBX_OK ||
	    fsync(fd) < 0 || renameat(dirfd, temp, dirfd, name) < 0) {
		enum sbx_err err = fail_to_write(why, "write", name);

		(void)unlinkat(dirfd, temp, 0);
		return err;
	}
	return SBX_OK;
}

enum sbx_err
file_mkdirs(const char *path, mode_t mode, struct sbx_why *why)
{
	cleanup_free char *copy = strdup(path);
	struct stat st;

	if (copy == NULL)
		return SBX_NOMEM;
	if (*copy == '\0')
		return sbx_fail(why, SBX_BAD_VALUE, "a folder has no name");
	for (char *c = copy + 1;; c++) {
		char saved = *c;

		if (saved != '/' && saved != '\0')
			continue;
		*c = '\0';
		/* Whatever the umask is: it is somebody else's as well. */
		if (mkdir(copy, mode) == 0)
			(void)chmod(copy, mode);
		else if (errno != EEXIST)
			return fail_to_write(why, "create folder", copy);
		*c = saved;
		if (saved == '\0')
			break;
	}
	/* What existed already may be something else than a folder. */
	if (stat(path, &st) < 0)
		return fail_to_write(why, "create folder", path);
	if (!S_ISDIR(st.st_mode))
		return sbx_fail(why, SBX_EXISTS, "%s is not a folder", path);
	return SBX_OK;
}

enum sbx_err
file_open_dir(int dirfd, const char *path, int *ret_fd, struct sbx_why *why)
{
	int fd = openat(
	    dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT
		    ? fail_to_read(why, "open folder", path)
		    : fail_to_write(why, "open folder", path);
	*ret_fd = fd;
	return SBX_OK;
}

static enum sbx_err
lock_once(
    int dirfd, const char *name, bool wait, int *ret_fd, struct sbx_why *why)
{
	cleanup_close int fd = openat(dirfd, name,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return fail_to_write(why, "create", name);
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK)
			return sbx_fail(why, SBX_STATE,
			    "%s is held by another process", name);
		if (errno != EINTR)
			return fail_to_write(why, "lock", name);
	}
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}

enum sbx_err
file_lock(
    int dirfd, const char *name, bool wait, int *ret_fd, struct sbx_why *why)
{
	for (;;) {
		cleanup_close int fd = -1;
		struct stat st;
		enum sbx_err err = lock_once(dirfd, name, wait, &fd, why);

		if (err != SBX_OK)
			return err;
		if (fstat(fd, &st) < 0)
			return fail_to_write(why, "lock", name);
		/* The file may have been removed while we waited for it. */
		if (st.st_nlink == 0)
			continue;
		*ret_fd = steal_fd(&fd);
		return SBX_OK;
	}
}
