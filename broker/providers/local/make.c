/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/make.h"

#include <fcntl.h>
#include <string.h>

#include "broker/providers/local/advice.h"
#include "broker/providers/local/home.h"
#include "broker/providers/local/root.h"
#include "broker/providers/local/temporary.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"
#include "common/text.h"

static bool
exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum sbx_err
make_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	const int *dir = arg;

	for (size_t i = 0; i < BOX_FOLDERS; i++) {
		const struct box_folder *f = &box_folders[i];

		if (mkdirat(*dir, f->name, f->mode) < 0 ||
		    fchmodat(*dir, f->name, f->mode, 0) < 0 ||
		    fchownat(*dir, f->name, first_uid + f->owner,
			first_gid + f->owner, AT_SYMLINK_NOFOLLOW) < 0)
			return sbx_fail(why, SBX_IO,
			    "cannot make the folder '%s': %s", f->name,
			    strerror(errno));
	}
	return SBX_OK;
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

/* What is only to be had with namespaces is not wanted. */
static enum sbx_err
need_none(const struct box *box, struct sbx_why *why)
{
	if (*box->root == '\0' && !box->network.full)
		return SBX_OK;
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "%s cannot be had without isolation",
	    *box->root != '\0' ? "a root of its own" : "a network of its own");
}

static enum sbx_err
choose_isolation(const struct provider_context *context,
    const struct shelf *shelf, make_probe *probe, struct box *box,
    struct sbx_why *why)
{
	cleanup_buf struct buf plain = BUF_INIT(2 * PATHS_MAX);
	struct sbx_why said = { "" };
	enum sbx_err err;

	box->isolation = ISOLATION_NONE;
	if (context->isolation_wanted == ISOLATION_WANT_NONE)
		return need_none(box, why);
	err = try_namespaces(context, shelf, probe, box, &said);
	if (err == SBX_OK)
		box->isolation = ISOLATION_NAMESPACES;
	if (err != SBX_REFUSED)
		return err == SBX_OK
		    ? SBX_OK
		    : sbx_fail(why, err, "%s", sbx_why_text(&said, err));
	if (context->isolation_wanted == ISOLATION_WANT_AUTO)
		return need_none(box, why);
	advice_put_plain(context, &plain);
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "the kernel refuses namespaces (%.120s): allow them with sysctl "
	    "user.max_user_namespaces and, in a container, its security "
	    "options%s",
	    said.text, buf_text(&plain));
}

static enum sbx_err
fill(const struct provider_context *context, const struct box *box,
    struct sbx_why *why)
{
	int dir = box->dir;
	enum sbx_err err = SBX_OK;

	if (box->isolation == ISOLATION_NAMESPACES)
		err = userns_run(&box->slice, make_job, &dir, why);
	else if (mkdirat(box->dir, BOX_REPORT, 0700) < 0)
		err = sbx_fail(why, SBX_IO, "cannot make the folder '%s': %s",
		    BOX_REPORT, strerror(errno));
	if (err == SBX_OK)
		err = home_make(box, why);
	if (err == SBX_OK)
		err = root_take(context, box, why);
	return err != SBX_OK ? err : box_write(box, why);
}

/*
 * Make .ID.tmp, with its lock held in box->dir, where there is no ID.
 * *ret_left: it was there, left by a call that was cut short.
 */
static enum sbx_err
take_name(const struct shelf *shelf, struct box *box, bool *ret_left,
    struct sbx_why *why)
{
	cleanup_close int lock = -1;
	char name[TEMPORARY_LEN];
	enum sbx_err err = shelf_lock(shelf, &lock, why);

	if (err != SBX_OK)
		return err;
	if (exists(shelf->boxes, box->id))
		return sbx_fail(
		    why, SBX_EXISTS, "sandbox %s exists already", box->id);
	temporary_name(box->id, name);
	/* The sandbox's own root, who is nobody here, must get through it. */
	*ret_left = false;
	if (mkdirat(shelf->boxes, name, 0711) < 0)
		*ret_left = errno == EEXIST;
	else if (fchmodat(shelf->boxes, name, 0711, 0) == 0)
		return temporary_lock(shelf, name, &box->dir, why);
	if (!*ret_left)
		return sbx_fail(why, SBX_IO, "cannot create folder %s: %s",
		    name, strerror(errno));
	return temporary_lock(shelf, name, &box->dir, why);
}

/* What was left of that id goes first, in the time of whoever wants it. */
static enum sbx_err
begin(const struct shelf *shelf, struct box *box, struct sbx_why *why)
{
	bool left;
	enum sbx_err err = take_name(shelf, box, &left, why);

	while (err == SBX_OK && left) {
		err = temporary_remove(shelf, box->id, box->dir, why);
		(void)close(steal_fd(&box->dir));
		if (err == SBX_OK)
			err = take_name(shelf, box, &left, why);
	}
	/* A row that was made for it goes, as with any other. */
	if (err == SBX_STATE)
		return sbx_fail(why, SBX_EXISTS,
		    "what an earlier sandbox %s has left is still being "
		    "removed: try again later, or choose another id",
		    box->id);
	return err;
}

/* Whoever is told of it finds it after a power cut, too. */
static enum sbx_err
put_in_place(const struct shelf *shelf, const struct box *box, const char *name,
    struct sbx_why *why)
{
	bool done = fsync(box->dir) == 0 && fsync(shelf->slots) == 0 &&
	    renameat(shelf->boxes, name, shelf->boxes, box->id) == 0;
	int saved;

	if (done && fsync(shelf->boxes) == 0)
		return SBX_OK;
	saved = errno;
	if (done)
		(void)renameat(shelf->boxes, box->id, shelf->boxes, name);
	return sbx_fail(why, SBX_IO, "cannot create folder %s: %s", box->id,
	    strerror(saved));
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
	box.ephemeral = spec->ephemeral;
	memcpy(box.root, spec->root, sizeof(box.root));
	box.network = spec->network;
	temporary_name(box.id, name);
	err = choose_isolation(context, &shelf, probe, &box, why);
	if (err == SBX_OK)
		err = fill(context, &box, why);
	if (err == SBX_OK)
		err = put_in_place(&shelf, &box, name, why);
	if (err == SBX_OK) {
		*ret = box.isolation;
		return SBX_OK;
	}
	/* Its own failure would hide the one that matters. */
	if (temporary_remove(&shelf, box.id, box.dir, NULL) != SBX_OK)
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
	temporary_name(id, name);
	/* An earlier removal may have been cut short. */
	err = temporary_lock(&shelf, name, &left, why);
	if (err == SBX_OK)
		err = temporary_remove(&shelf, id, left, why);
	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	err = temporary_lock(&shelf, id, &dir, why);
	if (err != SBX_OK)
		return err == SBX_NOT_FOUND ? SBX_OK : err;
	/* On a full disk even a name may have no place. */
	if (renameat(shelf.boxes, id, shelf.boxes, name) < 0 &&
	    (temporary_empty(dir, NULL) != SBX_OK ||
		renameat(shelf.boxes, id, shelf.boxes, name) < 0))
		return sbx_fail(why, SBX_IO, "cannot remove sandbox %s: %s", id,
		    strerror(errno));
	return temporary_remove(&shelf, id, dir, why);
}
