/* SPDX-License-Identifier: ISC */
#include "authkeys/safepath.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"

static enum sbx_err
check_owner(const char *path, const struct stat *st, uid_t owner, bool sticky,
    struct sbx_why *why)
{
	if (st->st_uid != 0 && st->st_uid != owner)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s belongs to uid %lu: change its owner", path,
		    (unsigned long)st->st_uid);
	if (sticky && (st->st_mode & S_ISVTX) != 0)
		return SBX_OK;
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s can be written by others: chmod go-w %s", path, path);
	return SBX_OK;
}

static enum sbx_err
check_folder(const char *path, uid_t owner, bool sticky, struct sbx_why *why)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return sbx_fail(why, errno == ENOENT ? SBX_NOT_FOUND : SBX_IO,
		    "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s is not a folder: name the path without links", path);
	return check_owner(path, &st, owner, sticky, why);
}

enum sbx_err
safepath_check_above(
    const char *path, uid_t owner, bool sticky, struct sbx_why *why)
{
	char folder[PATH_MAX];
	enum sbx_err err = text_copy(VIEW_STR(path), folder, sizeof(folder));
	char *slash;

	while (err == SBX_OK && (slash = strrchr(folder, '/')) != NULL) {
		*slash = '\0';
		err = check_folder(
		    slash == folder ? "/" : folder, owner, sticky, why);
	}
	return err;
}

enum sbx_err
safepath_program(
    const char *path, char ret[static PATH_MAX], struct sbx_why *why)
{
	struct stat st;
	enum sbx_err err;

	if (realpath(path, ret) == NULL || lstat(ret, &st) < 0)
		return sbx_fail(why, SBX_IO, "cannot look at %s: %s", path,
		    strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		return sbx_fail(
		    why, SBX_UNTRUSTED, "%s is not a program", path);
	err = check_owner(ret, &st, 0, /* sticky= */ false, why);
	return err != SBX_OK
	    ? err
	    : safepath_check_above(ret, 0, /* sticky= */ false, why);
}
