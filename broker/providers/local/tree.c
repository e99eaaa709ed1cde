/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/tree.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

/*
 * The tree is flattened: whatever folder is found in a folder of the top is
 * moved up to the top, so each is moved at most once and the top gets empty
 * in the end.
 */
struct removal {
	int top;
	uint64_t moved; /* makes names for them */
	bool found;	/* this pass saw an entry of the top */
	bool progress;	/* and something was removed or moved */
	int error;	/* of what resisted in it; the others go all the same */
	int border;	/* how many tops this one lies within */
};

/*
 * A sandbox can make file systems on btrfs, where subvolumes count as such;
 * and where a disk is full nothing can be moved.
 */
#define BORDERS_MAX 8

static bool remove_tree(int parent, const char *name, int border);

typedef void visitor(struct removal *r, int folder, const char *name);

/* Folders that are read-only keep out everyone but root, us too. */
static int
open_folder(int parent, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(parent, name, flags);
	struct stat st;

	if (fd < 0 && errno == EACCES &&
	    fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode) && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, flags);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700);
	return fd;
}

/* A file, or a folder that happens to be empty. */
static bool
unlink_any(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0)
		return true;
	return errno == EISDIR && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* What could not be unlinked; if it is no folder, errno still says why. */
static int
open_left(int parent, const char *name)
{
	int saved = errno, fd = open_folder(parent, name);

	if (fd < 0 && errno == ENOTDIR)
		errno = saved;
	return fd;
}

/* False with errno set. */
static bool
each_entry(struct removal *r, int folder, visitor *visit)
{
	/* A descriptor of its own, because closedir closes it. */
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		visit(r, folder, entry->d_name);
	}
	return errno == 0;
}

static bool
move_up(struct removal *r, int folder, const char *name)
{
	char to[40];

	for (;;) {
		(void)snprintf(to, sizeof(to), ".removed.%" PRIu64, r->moved++);
		if (renameat2(folder, name, r->top, to, RENAME_NOREPLACE) == 0)
			return true;
		if (errno != EEXIST)
			return false;
	}
}

/* Where it cannot be moved to the top, it becomes one itself. */
static bool
leave_empty(struct removal *r, int folder, const char *name)
{
	if (move_up(r, folder, name))
		return true;
	return (errno == EXDEV || errno == ENOKEY || errno == ENOSPC ||
		   errno == EDQUOT) &&
	    remove_tree(folder, name, r->border + 1);
}

static void
empty_entry(struct removal *r, int folder, const char *name)
{
	cleanup_close int fd = -1;

	if (!unlink_any(folder, name)) {
		/* Moving changes its "..", for which it must be writable. */
		fd = open_left(folder, name);
		if (fd < 0 || !leave_empty(r, folder, name)) {
			r->error = errno;
			return;
		}
	}
	r->progress = true;
}

static void
remove_entry(struct removal *r, int top, const char *name)
{
	cleanup_close int fd = -1;

	r->found = true;
	if (!unlink_any(top, name)) {
		fd = open_left(top, name);
		/* A folder that changes while it is read may hide entries. */
		if (fd < 0 || !each_entry(r, fd, empty_entry) ||
		    unlinkat(top, name, AT_REMOVEDIR) < 0) {
			if (errno != ENOTEMPTY)
				r->error = errno;
			return;
		}
	}
	r->progress = true;
}

static bool
remove_tree(int parent, const char *name, int border)
{
	struct removal r = { .top = open_folder(parent, name),
		.border = border };
	cleanup_close int top = r.top;

	if (top < 0)
		return errno == ENOENT;
	if (border > BORDERS_MAX) {
		errno = ELOOP;
		return false;
	}
	/* What was removed may have made room for what could not be moved. */
	do {
		r.found = r.progress = false;
		r.error = 0;
		if (!each_entry(&r, top, remove_entry))
			return false;
	} while (r.found && r.progress);
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return true;
	if (r.error != 0)
		errno = r.error;
	return false;
}

enum sbx_err
tree_remove(int parent, const char *name, struct sbx_why *why)
{
	if (remove_tree(parent, name, 0))
		return SBX_OK;
	return sbx_fail(
	    why, SBX_IO, "cannot remove %s: %s", name, strerror(errno));
}
