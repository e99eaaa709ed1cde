/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/make.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "broker/providers/local/tree.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"
#include "common/text.h"

#define TEMPORARY_LEN (NAME_ID_MAX + 8)
#define LOCK_NAME ".lock"

static void
put_temporary(const char *id, char ret[static TEMPORARY_LEN])
{
	(void)snprintf(ret, TEMPORARY_LEN, ".%s.tmp", id);
}

/* The reverse; false if name is none. */
static bool
parse_temporary(const char *name, char ret[static NAME_ID_MAX + 1])
{
	size_t len = strlen(name);
	struct view id;

	if (name[0] != '.' || len < 6 || strcmp(name + len - 4, ".tmp") != 0)
		return false;
	id = VIEW(name + 1, len - 5);
	return name_is_id(id) && text_copy(id, ret, NAME_ID_MAX + 1) == SBX_OK;
}

static bool
exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Folders that belong to an account of the sandbox; its group is the same. */
static const struct {
	const char *name;
	mode_t mode;
	uid_t owner;
} inner[] = {
	{ BOX_WORKSPACE, 0755, LOCAL_UID_SANDBOX },
	{ BOX_GATE, 0700, LOCAL_UID_AUTHKEYS },
	{ BOX_REPORT, 0755, LOCAL_UID_AUTHKEYS },
};

#define INNER (sizeof(inner) / sizeof(inner[0]))

static bool
has_inner(int dir)
{
	for (size_t i = 0; i < INNER; i++) {
		if (exists(dir, inner[i].name))
			return true;
	}
	return false;
}

/* arg is the descriptor of the sandbox's folder. */
static enum sbx_err
remove_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	const int *dir = arg;
	enum sbx_err err = SBX_OK;

	(void)first_uid;
	(void)first_gid;
	for (size_t i = 0; err == SBX_OK && i < INNER; i++)
		err = tree_remove(*dir, inner[i].name, why);
	return err;
}

static enum sbx_err
make_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	const int *dir = arg;

	for (size_t i = 0; i < INNER; i++) {
		const char *name = inner[i].name;

		if (mkdirat(*dir, name, inner[i].mode) < 0 ||
		    fchmodat(*dir, name, inner[i].mode, 0) < 0 ||
		    fchownat(*dir, name, first_uid + inner[i].owner,
			first_gid + inner[i].owner, AT_SYMLINK_NOFOLLOW) < 0)
			return sbx_fail(why, SBX_IO,
			    "cannot make the folder '%s': %s", name,
			    strerror(errno));
	}
	return SBX_OK;
}

/*
 * Those folders go first, while the folder still says whose it is, then
 * the slot, so that its next owner never meets files of this one.
 */
static enum sbx_err
remove_temporary(
    const struct shelf *shelf, const char *id, int dir, struct sbx_why *why)
{
	char name[TEMPORARY_LEN];
	struct local_slice slice;
	bool sliced = box_read_slice(dir, &slice, NULL) == SBX_OK;
	enum sbx_err err;

	put_temporary(id, name);
	if (!sliced)
		err = tree_remove(dir, BOX_WORKSPACE, why);
	else if (has_inner(dir))
		err = userns_run(&slice, remove_job, &dir, why);
	else
		err = SBX_OK;
	if (err != SBX_OK)
		return err;
	if (sliced)
		ids_release(shelf->slots, &slice, id);
	return tree_remove(shelf->boxes, name, why);
}

/* Open and lock .ID.tmp: SBX_STATE if someone works on it. */
static enum sbx_err
lock_folder(int boxes, const char *name, int *ret, struct sbx_why *why)
{
	cleanup_close int fd = -1;
	enum sbx_err err = file_open_dir(boxes, name, &fd, why);

	if (err != SBX_OK)
		return err;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return sbx_fail(why, SBX_STATE, "%s is being worked on", name);
	*ret = steal_fd(&fd);
	return SBX_OK;
}

/* Left-overs of crashes; what resists is left for the next time. */
static void
sweep_boxes(const struct shelf *shelf)
{
	int fd = openat(shelf->boxes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char id[NAME_ID_MAX + 1];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		cleanup_close int left = -1;

		if (parse_temporary(entry->d_name, id) &&
		    lock_folder(shelf->boxes, entry->d_name, &left, NULL) ==
			SBX_OK &&
		    remove_temporary(shelf, id, left, NULL) != SBX_OK)
			continue;
	}
}

static void
sweep_slots(const struct shelf *shelf)
{
	int fd = openat(shelf->slots, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		cleanup_buf struct buf holder = BUF_INIT(NAME_ID_MAX + 1);
		char name[TEMPORARY_LEN];

		if (entry->d_name[0] == '.' ||
		    file_read(shelf->slots, entry->d_name, &holder, NULL) !=
			SBX_OK)
			continue;
		put_temporary(buf_text(&holder), name);
		/* In this order: a folder is renamed from the first name. */
		if (!exists(shelf->boxes, name) &&
		    !exists(shelf->boxes, buf_text(&holder)))
			(void)unlinkat(shelf->slots, entry->d_name, 0);
	}
}

/* Claim a slot and see whether a sandbox could run with it. */
static enum sbx_err
try_namespaces(const struct provider_context *context,
    const struct shelf *shelf, make_probe *probe, struct box *box,
    struct sbx_why *why)
{
	struct local_ranges ranges;
	enum sbx_err err = userns_allowed(why);

	if (err == SBX_OK)
		err = ids_ranges(context, &ranges, why);
	if (err == SBX_OK)
		err =
		    ids_claim(shelf->slots, &ranges, box->id, &box->slice, why);
	if (err != SBX_OK)
		return err;
	err = box_write_slice(box->dir, &box->slice, why);
	if (err == SBX_OK)
		err = probe(context, &box->slice, why);
	if (err != SBX_OK) {
		ids_release(shelf->slots, &box->slice, box->id);
		(void)unlinkat(box->dir, "slot", 0);
	}
	return err;
}

static enum sbx_err
choose_isolation(const struct provider_context *context,
    const struct shelf *shelf, make_probe *probe, struct box *box,
    struct sbx_why *why)
{
	struct sbx_why said = { "" };
	enum sbx_err err;

	box->isolation = ISOLATION_NONE;
	if (context->isolation_wanted == ISOLATION_WANT_NONE)
		return SBX_OK;
	err = try_namespaces(context, shelf, probe, box, &said);
	if (err == SBX_OK)
		box->isolation = ISOLATION_NAMESPACES;
	if (err != SBX_REFUSED)
		return err == SBX_OK
		    ? SBX_OK
		    : sbx_fail(why, err, "%s", sbx_why_text(&said, err));
	if (context->isolation_wanted == ISOLATION_WANT_AUTO)
		return SBX_OK;
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "the kernel refuses namespaces (%.300s): allow them with sysctl "
	    "user.max_user_namespaces and, in a container, its security "
	    "options; or set isolation = none",
	    said.text);
}

static enum sbx_err
fill(const struct box *box, struct sbx_why *why)
{
	int dir = box->dir;

	if (box->isolation == ISOLATION_NAMESPACES) {
		enum sbx_err err = userns_run(&box->slice, make_job, &dir, why);

		if (err != SBX_OK)
			return err;
	} else if (mkdirat(box->dir, BOX_WORKSPACE, 0700) < 0 ||
	    mkdirat(box->dir, BOX_REPORT, 0700) < 0) {
		return sbx_fail(why, SBX_IO, "cannot make the workspace: %s",
		    strerror(errno));
	}
	return box_write(box, why);
}

/* Make .ID.tmp, with its lock held in box->dir, where there is no ID. */
static enum sbx_err
begin(const struct shelf *shelf, struct box *box, struct sbx_why *why)
{
	cleanup_close int lock = -1;
	char name[TEMPORARY_LEN];
	enum sbx_err err =
	    file_lock(shelf->boxes, LOCK_NAME, /* wait= */ true, &lock, why);

	if (err != SBX_OK)
		return err;
	if (exists(shelf->boxes, box->id))
		return sbx_fail(
		    why, SBX_EXISTS, "sandbox %s exists already", box->id);
	sweep_boxes(shelf);
	sweep_slots(shelf);
	put_temporary(box->id, name);
	/* The sandbox's own root, who is nobody here, must get through it. */
	if (mkdirat(shelf->boxes, name, 0711) < 0 ||
	    fchmodat(shelf->boxes, name, 0711, 0) < 0)
		return sbx_fail(why, SBX_IO, "cannot create folder %s: %s",
		    name, strerror(errno));
	return lock_folder(shelf->boxes, name, &box->dir, why);
}

enum sbx_err
make_box(const struct provider_context *context,
    const struct provider_spec *spec, make_probe *probe, enum isolation *ret,
    struct sbx_why *why)
{
	cleanup_shelf struct shelf shelf = SHELF_INIT;
	cleanup_box struct box box = BOX_INIT;
	enum sbx_err err = shelf_open(context, /* make= */ true, &shelf, why);
	char name[TEMPORARY_LEN];

	if (err == SBX_OK)
		err = text_copy(VIEW_STR(spec->id), box.id, sizeof(box.id));
	if (err == SBX_OK)
		err = begin(&shelf, &box, why);
	if (err != SBX_OK)
		return err;
	box.issued_after = spec->issued_after;
	box.owner = spec->owner;
	box.incarnation = spec->incarnation;
	put_temporary(box.id, name);
	err = choose_isolation(context, &shelf, probe, &box, why);
	if (err == SBX_OK)
		err = fill(&box, why);
	if (err == SBX_OK &&
	    renameat(shelf.boxes, name, shelf.boxes, box.id) < 0)
		err = sbx_fail(why, SBX_IO, "cannot create folder %s: %s",
		    box.id, strerror(errno));
	if (err == SBX_OK) {
		*ret = box.isolation;
		return SBX_OK;
	}
	/* Its own failure would hide the one that matters. */
	if (remove_temporary(&shelf, box.id, box.dir, NULL) != SBX_OK)
		return err;
	return err;
}

enum sbx_err
unmake_box(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	cleanup_shelf struct shelf shelf = SHELF_INIT;
	cleanup_close int left = -1, dir = -1;
	char name[TEMPORARY_LEN];
	enum sbx_err err = shelf_open(context, /* make= */ false, &shelf, why);

	if (err != SBX_OK)
		return err == SBX_NOT_FOUND ? SBX_OK : err;
	put_temporary(id, name);
	/* An earlier removal may have been cut short. */
	err = lock_folder(shelf.boxes, name, &left, why);
	if (err == SBX_OK)
		err = remove_temporary(&shelf, id, left, why);
	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	err = lock_folder(shelf.boxes, id, &dir, why);
	if (err != SBX_OK)
		return err == SBX_NOT_FOUND ? SBX_OK : err;
	if (renameat(shelf.boxes, id, shelf.boxes, name) < 0)
		return sbx_fail(why, SBX_IO, "cannot remove sandbox %s: %s", id,
		    strerror(errno));
	return remove_temporary(&shelf, id, dir, why);
}
