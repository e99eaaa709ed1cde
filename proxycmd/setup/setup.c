/* SPDX-License-Identifier: ISC */
#include "proxycmd/setup/setup.h"

#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/setup/config_text.h"
#include "proxycmd/setup/include_line.h"
#include "proxycmd/setup/owned_path.h"

#define BLOCK_SHOWN 80 /* bytes of a Host or Match line */

/* The file behind all links, as it was found. */
struct target {
	char folder[PATH_MAX];
	char name[NAME_MAX + 1];
	bool linked; /* the path that was given is a link to it */
	bool exists;
	struct stat st;
};

static enum sbx_err
cannot(struct sbx_why *why, const char *verb, const char *path)
{
	return sbx_fail(why, SBX_IO, "cannot %s %s: %s; nothing was changed",
	    verb, path, strerror(errno));
}

static enum sbx_err
cannot_file(struct sbx_why *why, const char *verb, const struct target *target)
{
	int error = errno;
	char path[PATH_MAX + NAME_MAX + 2];

	(void)snprintf(
	    path, sizeof(path), "%s/%s", target->folder, target->name);
	errno = error;
	return cannot(why, verb, path);
}

static enum sbx_err
split(const char *path, struct target *ret, struct sbx_why *why)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL || slash[1] == '\0' || len >= sizeof(ret->folder) ||
	    strlen(slash + 1) >= sizeof(ret->name))
		return sbx_fail(why, SBX_USAGE,
		    "'%.200s' is not the absolute path of a file", path);
	memcpy(ret->folder, len == 0 ? "/" : path, len == 0 ? 1 : len);
	ret->folder[len == 0 ? 1 : len] = '\0';
	memcpy(ret->name, slash + 1, strlen(slash + 1) + 1);
	return SBX_OK;
}

/*
 * Follow links to the file itself; one that is missing is no error.  walked: as
 * that was done before, so that nobody has slipped in others, or NULL.
 */
static enum sbx_err
find_target(const char *path, const char *walked, struct target *ret,
    struct sbx_why *why)
{
	char real[PATH_MAX];
	struct stat st;

	*ret = (struct target){ 0 };
	if (lstat(path, &st) == 0)
		ret->linked = S_ISLNK(st.st_mode);
	else if (errno == ENOENT)
		return split(walked == NULL ? path : walked, ret, why);
	else
		return cannot(why, "look at", path);
	if (walked != NULL ? stat(walked, &st) < 0
			   : realpath(path, real) == NULL) {
		if (errno == ENOENT)
			return sbx_fail(why, SBX_IO,
			    "%s is a symbolic link to a file that does not "
			    "exist: create that first",
			    path);
		return cannot(why, "follow", path);
	}
	if (stat(walked == NULL ? real : walked, &ret->st) < 0)
		return cannot(why, "look at", path);
	ret->exists = true;
	return split(walked == NULL ? real : walked, ret, why);
}

static enum sbx_err
check_target(const struct setup_request *request, const struct target *target,
    struct sbx_why *why)
{
	struct stat snippet;

	if (!request->remove && stat(request->snippet, &snippet) < 0)
		return sbx_fail(why, SBX_CONFIG,
		    "%s does not exist: install sandbox-ssh first, or name "
		    "another snippet with --include",
		    request->snippet);
	if (!request->remove &&
	    (!S_ISREG(snippet.st_mode) || access(request->snippet, R_OK) < 0))
		return sbx_fail(why, SBX_CONFIG,
		    "%s is no file that can be read: name another snippet with "
		    "--include",
		    request->snippet);
	if (!target->exists)
		return SBX_OK;
	if (!S_ISREG(target->st.st_mode))
		return sbx_fail(why, SBX_UNTRUSTED, "%s is not a regular file",
		    request->file);
	if (target->st.st_nlink != 1)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s has %lu hard links, which replacing it would part: "
		    "add the line by hand",
		    request->file, (unsigned long)target->st.st_nlink);
	if (!request->remove && snippet.st_dev == target->st.st_dev &&
	    snippet.st_ino == target->st.st_ino)
		return sbx_fail(why, SBX_CONFIG,
		    "%s would include itself: name another file",
		    request->file);
	return SBX_OK;
}

static enum sbx_err
load(int dirfd, const struct target *target, bool to_write, struct buf *ret,
    struct sbx_why *why)
{
	if (!target->exists)
		return SBX_OK;
	if (to_write && faccessat(dirfd, target->name, W_OK, AT_EACCESS) < 0)
		return cannot_file(why, "write", target);
	return file_read(dirfd, target->name, ret, why);
}

/* Someone's editor may have saved the file since it was read. */
static bool
is_unchanged(int dirfd, const struct target *target)
{
	struct stat now;

	if (fstatat(dirfd, target->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && !target->exists;
	return target->exists && now.st_ino == target->st.st_ino &&
	    now.st_size == target->st.st_size &&
	    now.st_mtim.tv_sec == target->st.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == target->st.st_mtim.tv_nsec;
}

static enum sbx_err
fill_temp(int fd, const struct target *target, struct view bytes)
{
	struct stat st;

	if (file_write_fd(fd, bytes) != SBX_OK || fstat(fd, &st) < 0)
		return SBX_IO;
	if (target->exists &&
	    (st.st_uid != target->st.st_uid ||
		st.st_gid != target->st.st_gid) &&
	    fchown(fd, target->st.st_uid, target->st.st_gid) < 0)
		return SBX_IO;
	if (target->exists && fchmod(fd, target->st.st_mode & 07777) < 0)
		return SBX_IO;
	return fsync(fd) < 0 ? SBX_IO : SBX_OK;
}

static enum sbx_err
replace(int dirfd, const struct target *target, struct view bytes,
    struct sbx_why *why)
{
	char temp[32];
	cleanup_close int fd = -1;
	enum sbx_err err;

	(void)snprintf(
	    temp, sizeof(temp), ".sandbox-ssh.%08x", randombytes_random());
	fd = openat(dirfd, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cannot(why, "write in", target->folder);
	err = fill_temp(fd, target, bytes);
	if (err != SBX_OK)
		err = cannot_file(why, "write", target);
	else if (!is_unchanged(dirfd, target))
		err = sbx_fail(why, SBX_STATE,
		    "%s was changed by someone else meanwhile: try again",
		    target->name);
	else if (renameat(dirfd, temp, dirfd, target->name) < 0)
		err = cannot_file(why, "replace", target);
	if (err != SBX_OK)
		(void)unlinkat(dirfd, temp, 0);
	return err;
}

static enum sbx_err
store(int dirfd, const struct target *target, struct view bytes,
    struct sbx_why *why)
{
	if (target->linked || !include_line_is_end(bytes))
		return replace(dirfd, target, bytes, why);
	if (unlinkat(dirfd, target->name, 0) < 0)
		return cannot_file(why, "remove", target);
	return SBX_OK;
}

/* As "diff -U0" says it; made: the text of a file that is new. */
static void
report(const struct setup_request *request, const char *line,
    const struct include_place *place, struct view made, struct buf *ret)
{
	struct view rest = made, added;

	if (!request->dry_run) {
		buf_printf(ret, "%s %s: %s\n",
		    request->remove ? "removed from" : "added to",
		    request->file, line);
		return;
	}
	buf_printf(ret, "--- %s\n+++ %s\n", request->file, request->file);
	if (request->remove)
		buf_printf(ret, "@@ -%zu +%zu,0 @@\n-%.*s\n", place->number,
		    place->number - 1, (int)place->line.len,
		    (const char *)place->line.p);
	else if (made.len == 0)
		buf_printf(ret, "@@ -0,0 +1 @@\n+%s\n", line);
	else
		buf_put_text(ret, "@@ -0,0 +1,2 @@\n");
	while (text_next_line(&rest, &added))
		buf_printf(
		    ret, "+%.*s\n", (int)added.len, (const char *)added.p);
}

static enum sbx_err
open_folder(const struct setup_request *request, const struct target *target,
    int *ret_fd, struct sbx_why *why)
{
	/* ~/.ssh, when this is the first use of ssh. */
	bool make = !request->remove && !request->dry_run;
	enum sbx_err err;

	if (geteuid() == 0) {
		err = owned_path_open(
		    target->folder, /* owner= */ 0, make, ret_fd, why);
		return err == SBX_NOT_FOUND && !target->exists ? SBX_OK : err;
	}
	if (make && mkdir(target->folder, 0700) < 0 && errno != EEXIST)
		return cannot(why, "create folder", target->folder);
	*ret_fd = open(target->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0 && (errno != ENOENT || target->exists))
		return cannot(why, "open folder", target->folder);
	return SBX_OK;
}

static enum sbx_err
only_below(
    const struct setup_request *request, struct view block, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(4 * BLOCK_SHOWN + 4);

	text_escape(block, BLOCK_SHOWN, /* quote= */ false, &text);
	return sbx_fail(why, SBX_CONFIG,
	    "%s has it only below '%s': take it out by hand", request->file,
	    buf_text(&text));
}

/* Read, edit, write back. */
static enum sbx_err
edit(const struct setup_request *request, const struct target *target,
    const char *line, struct buf *ret_report, struct sbx_why *why)
{
	cleanup_buf struct buf old = BUF_INIT(SETUP_FILE_MAX);
	cleanup_buf struct buf new = BUF_INIT(SETUP_FILE_MAX);
	struct include_place place = { 0 };
	cleanup_close int dirfd = -1;
	enum sbx_err err = open_folder(request, target, &dirfd, why);
	bool found;

	if (err == SBX_OK)
		err = load(dirfd, target, !request->dry_run, &old, why);
	if (err != SBX_OK)
		return err;
	found = include_line_find(buf_view(&old), line, &place);
	if (request->remove && place.block.len > 0)
		return only_below(request, place.block, why);
	found = found && place.block.len == 0;
	if (found != request->remove) {
		buf_printf(ret_report, "%s %s: %s\n", request->file,
		    found ? "has it already" : "does not have it", line);
		return SBX_OK;
	}
	if (request->remove)
		include_line_remove(buf_view(&old), &place, &new);
	else if (target->exists)
		include_line_add(buf_view(&old), line, &new);
	else
		include_line_begin(line, &new);
	err = buf_error(&new);
	if (err == SBX_TOO_LARGE)
		err = sbx_fail(why, err,
		    "%s is too large: add the line by hand: %s", request->file,
		    line);
	if (err == SBX_OK && !request->dry_run)
		err = store(dirfd, target, buf_view(&new), why);
	if (err == SBX_OK)
		report(request, line, &place,
		    target->exists ? VIEW("", 0) : buf_view(&new), ret_report);
	return err;
}

static enum sbx_err
make_line(const char *snippet, struct buf *ret, struct sbx_why *why)
{
	buf_put_text(ret, "Include ");
	return config_text_put_path(snippet, ret, why);
}

/* What cannot be written here may be made from elsewhere (Nix, Ansible). */
static enum sbx_err
tell_line(const struct setup_request *request, enum sbx_err err,
    const struct sbx_why *what, const char *line, struct sbx_why *why)
{
	return sbx_fail(why, err, "%.250s: %s it by other means: %s",
	    sbx_why_text(what, err),
	    request->remove ? "take this line out of"
			    : "put this line at the top of",
	    line);
}

enum sbx_err
setup_run(const struct setup_request *request, struct buf *ret_report,
    struct sbx_why *why)
{
	cleanup_buf struct buf line = BUF_INIT(2 * PATH_MAX);
	struct sbx_why own = { "" };
	struct target target;
	char real[PATH_MAX];
	const char *walked = NULL;
	enum sbx_err err = make_line(request->snippet, &line, why);

	/* Others may change what is theirs at any moment. */
	if (err == SBX_OK && geteuid() == 0) {
		err = owned_path_check(request->file, 0, real, why);
		walked = real;
	}
	if (err == SBX_OK)
		err = find_target(request->file, walked, &target, why);
	if (err == SBX_OK)
		err = check_target(request, &target, why);
	if (err != SBX_OK)
		return err;
	err = edit(request, &target, buf_text(&line), ret_report, &own);
	if (err == SBX_IO && !request->dry_run)
		return tell_line(request, err, &own, buf_text(&line), why);
	if (err != SBX_OK)
		return sbx_fail(why, err, "%s", sbx_why_text(&own, err));
	return buf_error(ret_report);
}

bool
setup_is_below(const char *file, const char *snippet, struct buf *ret_block)
{
	cleanup_buf struct buf line = BUF_INIT(2 * PATH_MAX);
	cleanup_buf struct buf text = BUF_INIT(SETUP_FILE_MAX);
	struct include_place place = { 0 };
	char real[PATH_MAX];

	if (make_line(snippet, &line, NULL) != SBX_OK ||
	    realpath(file, real) == NULL ||
	    file_read(AT_FDCWD, real, &text, NULL) != SBX_OK ||
	    !include_line_find(buf_view(&text), buf_text(&line), &place) ||
	    place.block.len == 0)
		return false;
	text_escape(place.block, BLOCK_SHOWN, /* quote= */ false, ret_block);
	return buf_error(ret_block) == SBX_OK;
}
