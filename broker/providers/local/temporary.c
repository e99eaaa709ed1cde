/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/temporary.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include <sodium.h>

#include "broker/providers/local/tree.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"
#include "common/text.h"

#define LOCK_NAME ".lock"
#define RESISTING_MAX 16

void
temporary_name(const char *id, char ret[static TEMPORARY_LEN])
{
	(void)snprintf(ret, TEMPORARY_LEN, ".%s.tmp", id);
}

/* The reverse; false if name is none. */
static bool
parse_name(const char *name, char ret[static NAME_ID_MAX + 1])
{
	size_t len = strlen(name);
	struct view id;

	if (name[0] != '.' || len < 6 || strcmp(name + len - 4, ".tmp") != 0)
		return false;
	id = VIEW(name + 1, len - 5);
	return name_is_id(id) && text_copy(id, ret, NAME_ID_MAX + 1) == SBX_OK;
}

enum sbx_err
temporary_lock(const struct shelf *shelf, const char *name, int *ret_dir,
    struct sbx_why *why)
{
	cleanup_close int fd = -1;
	enum sbx_err err = file_open_dir(shelf->boxes, name, &fd, why);

	if (err != SBX_OK)
		return err;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return sbx_fail(why, SBX_STATE, "%s is being worked on", name);
	*ret_dir = steal_fd(&fd);
	return SBX_OK;
}

enum sbx_err
shelf_lock(const struct shelf *shelf, int *ret, struct sbx_why *why)
{
	return file_lock(shelf->boxes, LOCK_NAME, /* wait= */ true, ret, why);
}

static bool
has_folders(int dir)
{
	for (const char *const *name = box_trees; *name != NULL; name++) {
		if (faccessat(dir, *name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

/* arg is the descriptor of the sandbox's folder.  One that resists waits. */
static enum sbx_err
remove_folders(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	const int *dir = arg;
	enum sbx_err err = SBX_OK;

	(void)first_uid;
	(void)first_gid;
	for (const char *const *name = box_trees; *name != NULL; name++) {
		enum sbx_err one = tree_remove(*dir, *name, why);

		if (one != SBX_OK)
			err = one;
	}
	return err;
}

enum sbx_err
temporary_empty(int dir, struct sbx_why *why)
{
	struct local_slice slice;

	if (box_read_slice(dir, &slice, NULL) != SBX_OK)
		return remove_folders(&dir, 0, 0, why);
	return has_folders(dir) ? userns_run(&slice, remove_folders, &dir, why)
				: SBX_OK;
}

/*
 * Those folders go first, while the folder still says whose it is, then
 * the slot, so that its next owner never meets files of this one.
 */
enum sbx_err
temporary_remove(
    const struct shelf *shelf, const char *id, int dir, struct sbx_why *why)
{
	char name[TEMPORARY_LEN];
	struct local_slice slice;
	bool sliced = box_read_slice(dir, &slice, NULL) == SBX_OK;
	enum sbx_err err = temporary_empty(dir, why);

	if (err != SBX_OK)
		return err;
	if (sliced)
		ids_release(shelf->slots, &slice, id);
	temporary_name(id, name);
	return tree_remove(shelf->boxes, name, why);
}

/* A folder of its own to read, from the start. */
static DIR *
open_entries(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		(void)close(fd);
	return dir;
}

/*
 * Any of them, each as likely: one that takes for ever to remove is not the
 * first each time.
 */
static bool
pick(const struct shelf *shelf, char ret_id[static NAME_ID_MAX + 1])
{
	cleanup_dir DIR *dir = open_entries(shelf->boxes);
	const struct dirent *entry;
	char id[NAME_ID_MAX + 1];
	uint32_t seen = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (parse_name(entry->d_name, id) &&
		    randombytes_uniform(++seen) == 0)
			memcpy(ret_id, id, sizeof(id));
	}
	return seen > 0;
}

/*
 * Whoever makes one has its name before its lock: the shelf's keeps us from
 * coming between.
 */
static enum sbx_err
remove_left(const struct shelf *shelf, const char *id, struct sbx_why *why)
{
	cleanup_close int lock = -1, dir = -1;
	char name[TEMPORARY_LEN];
	enum sbx_err err = shelf_lock(shelf, &lock, why);

	temporary_name(id, name);
	if (err == SBX_OK)
		err = temporary_lock(shelf, name, &dir, why);
	if (err != SBX_OK)
		return err;
	(void)close(steal_fd(&lock));
	return temporary_remove(shelf, id, dir, why);
}

static bool
exists(const struct shelf *shelf, const char *name)
{
	return faccessat(shelf->boxes, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* In this order: a folder is renamed from one name to the other and back. */
static bool
is_anyones(const struct shelf *shelf, const char *slot)
{
	cleanup_buf struct buf holder = BUF_INIT(NAME_ID_MAX + 1);
	char name[TEMPORARY_LEN];

	if (file_read(shelf->slots, slot, &holder, NULL) != SBX_OK)
		return true;
	temporary_name(buf_text(&holder), name);
	return exists(shelf, name) || exists(shelf, buf_text(&holder)) ||
	    exists(shelf, name);
}

static void
sweep_slots(const struct shelf *shelf)
{
	cleanup_dir DIR *dir = open_entries(shelf->slots);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || is_anyones(shelf, entry->d_name))
			continue;
		/* Nobody claims it between the look and the end. */
		if (flock(shelf->slots, LOCK_EX) < 0)
			return;
		if (!is_anyones(shelf, entry->d_name))
			(void)unlinkat(shelf->slots, entry->d_name, 0);
		(void)flock(shelf->slots, LOCK_UN);
	}
}

enum sbx_err
temporary_sweep(const struct provider_context *context, struct sbx_why *why)
{
	cleanup_shelf struct shelf shelf = SHELF_INIT;
	enum sbx_err err = shelf_open(context, /* make= */ false, &shelf, why);
	char id[NAME_ID_MAX + 1];
	int resisting = 0;

	if (err != SBX_OK)
		return err == SBX_NOT_FOUND ? SBX_OK : err;
	sweep_slots(&shelf);
	while (resisting < RESISTING_MAX && pick(&shelf, id)) {
		struct sbx_why said = { "" };
		enum sbx_err one = remove_left(&shelf, id, &said);

		resisting += one != SBX_OK;
		/* Somebody is at work on it, or was quicker. */
		if (one == SBX_OK || one == SBX_STATE || one == SBX_NOT_FOUND)
			continue;
		err = sbx_fail(why, one, "%s", sbx_why_text(&said, one));
	}
	sweep_slots(&shelf);
	return err;
}
