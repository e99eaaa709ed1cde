/* SPDX-License-Identifier: ISC */
/*
 * Files: opened so that nobody can slip in another one, read up to a cap,
 * written whole or not at all.
 */
#ifndef SBX_FILE_H
#define SBX_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "common/buf.h"

#define FILE_NO_OWNER ((uid_t)-1)

/*
 * Open a file for reading whose content we rely on: a regular file, no
 * symbolic link, owned by root or by owner (FILE_NO_OWNER: root only), and
 * without any of the mode bits in forbidden (022: nobody else may write it;
 * 077: nobody else may read it either).  SBX_UNTRUSTED and SBX_UNREADABLE name
 * the file in why; a file that does not exist is SBX_NOT_FOUND.
 */
enum sbx_err file_open_trusted(const char *path, uid_t owner, mode_t forbidden,
    int *ret_fd, struct sbx_why *why) MUST_USE;

/* Append all of fd to ret, whose cap bounds it (SBX_TOO_LARGE). */
enum sbx_err file_read_fd(int fd, struct buf *ret) MUST_USE;
/* file_open_trusted, then file_read_fd. */
enum sbx_err file_read_trusted(const char *path, uid_t owner, mode_t forbidden,
    struct buf *ret, struct sbx_why *why) MUST_USE;
/*
 * A file whose content is only data; at dirfd (AT_FDCWD), no link followed,
 * SBX_UNTRUSTED if it is no regular file.
 */
enum sbx_err file_read(
    int dirfd, const char *path, struct buf *ret, struct sbx_why *why) MUST_USE;

/* All of it, or SBX_IO with errno set. */
enum sbx_err file_write_fd(int fd, struct view bytes) MUST_USE;
/*
 * Replace dirfd/name by a new file with this mode and content: readers see
 * the old or the new one, never half, after a crash too: the bytes are on
 * disk (fsync) before the name means them.  On failure nothing is left
 * behind.
 */
enum sbx_err file_write_atomic(int dirfd, const char *name, mode_t mode,
    struct view bytes, struct sbx_why *why) MUST_USE;

/*
 * mkdir -p; only folders that did not exist get the mode.  SBX_EXISTS when
 * path is something else than a folder.
 */
enum sbx_err
file_mkdirs(const char *path, mode_t mode, struct sbx_why *why) MUST_USE;
/* Open a folder (no symbolic link) for the *at() calls. */
enum sbx_err file_open_dir(
    int dirfd, const char *path, int *ret_fd, struct sbx_why *why) MUST_USE;

/*
 * Take an exclusive lock on dirfd/name, made with mode 0600 if missing;
 * closing the descriptor frees it.  wait false: SBX_STATE at once when
 * another holds it.
 */
enum sbx_err file_lock(int dirfd, const char *name, bool wait, int *ret_fd,
    struct sbx_why *why) MUST_USE;

#endif
