/* SPDX-License-Identifier: ISC */
#include "init/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

#define BLOCK 512 /* of st_blocks */
/* A file with n names is met n times, and counts for a part each time. */
#define WHOLE 0x10000
#define SEEN_MAX 4096

struct walk {
	dev_t device;
	uint64_t mount; /* 0: the kernel does not tell */
	uint64_t bytes;
	uint64_t parts;
	bool failed;
	/* Deleted files: several descriptors may mean the same. */
	ino_t seen[SEEN_MAX];
	size_t seen_count;
};

static void
count(struct walk *w, const struct stat *st)
{
	uint64_t names =
	    S_ISDIR(st->st_mode) || st->st_nlink == 0 ? 1 : st->st_nlink;

	w->bytes += (uint64_t)st->st_blocks * BLOCK / names;
	w->parts += WHOLE / names;
}

/* What goes away meanwhile is not counted. */
static void
walk_folder(struct walk *w, int folder, unsigned depth)
{
	cleanup_dir DIR *dir = fdopendir(folder);
	const struct dirent *entry;
	struct stat st;

	if (dir == NULL)
		(void)close(folder);
	if (dir == NULL || depth > MEASURE_DEPTH_MAX) {
		w->failed = true;
		return;
	}
	while (!w->failed && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		count(w, &st);
		if (S_ISDIR(st.st_mode)) {
			int fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (fd >= 0)
				walk_folder(w, fd, depth + 1);
			else if (errno != ENOENT && errno != ENOTDIR)
				w->failed = true;
		}
	}
}

static bool
is_new(struct walk *w, ino_t file)
{
	for (size_t i = 0; i < w->seen_count; i++) {
		if (w->seen[i] == file)
			return false;
	}
	if (w->seen_count < SEEN_MAX)
		w->seen[w->seen_count++] = file;
	return true;
}

static uint64_t
mount_of(int folder, const char *name)
{
	struct statx st;

	if (statx(folder, name, AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 ||
	    (st.stx_mask & STATX_MNT_ID) == 0)
		return 0;
	return st.stx_mnt_id;
}

/* In an overlay files and folders may be of different devices. */
static bool
is_here(const struct walk *w, int folder, const char *name, dev_t device)
{
	return device == w->device ||
	    (w->mount != 0 && mount_of(folder, name) == w->mount);
}

/* Of one process: its open files that have no name any more. */
static void
walk_descriptors(struct walk *w, int proc, const char *pid)
{
	char path[64];
	int fd;
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode) && st.st_nlink == 0 &&
		    is_here(w, dirfd(dir), entry->d_name, st.st_dev) &&
		    is_new(w, st.st_ino))
			count(w, &st);
	}
}

static void
walk_processes(struct walk *w, const char *path)
{
	cleanup_dir DIR *proc = opendir(path);
	const struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			walk_descriptors(w, dirfd(proc), entry->d_name);
	}
}

bool
measure_folder(const char *path, const char *proc, struct measure *ret)
{
	cleanup_free struct walk *w = calloc(1, sizeof(*w));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (w == NULL || fd < 0 || fstat(fd, &st) < 0)
		return false;
	w->device = st.st_dev;
	w->mount = mount_of(fd, "");
	walk_folder(w, fd, 0);
	walk_processes(w, proc);
	*ret = (struct measure){ w->bytes, w->parts / WHOLE };
	return !w->failed;
}
