/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/home.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "broker/providers/local/project.h"
#include "broker/providers/local/tree.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"

#define SKEL "/etc/skel"
#define SKEL_MAX 65536

/* As useradd(8) copies them. */
static const char *const skeleton[] = { ".bashrc", ".profile" };

static int
open_folder(int dir, const char *name)
{
	return openat(
	    dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
home_open(const struct box *box)
{
	int fd = open_folder(box->dir, BOX_HOME);

	/* It may run since before there were homes. */
	return fd >= 0 ? fd : open_folder(box->dir, BOX_WORKSPACE);
}

/*
 * Once more if a call that was cut short has done so already.  Where the disk
 * is full, what is kept matters more.
 */
static void
put_skeleton(int home, const char *name, uid_t uid, gid_t gid)
{
	cleanup_buf struct buf text = BUF_INIT(SKEL_MAX);
	cleanup_close int skel = open(SKEL, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -1;

	if (skel < 0 || file_read(skel, name, &text, NULL) != SBX_OK)
		buf_reset(&text);
	(void)unlinkat(home, name, 0);
	fd = openat(home, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0 &&
	    (file_write_fd(fd, buf_view(&text)) != SBX_OK ||
		fchmod(fd, 0644) < 0 || fchown(fd, uid, gid) < 0))
		(void)unlinkat(home, name, 0);
}

/* The one that was kept by itself, or a new one. */
static bool
put_workspace(int dir, int home, uid_t uid, gid_t gid)
{
	if (renameat(dir, BOX_WORKSPACE, home, BOX_WORKSPACE) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	if (mkdirat(home, BOX_WORKSPACE, 0755) < 0)
		return errno == EEXIST;
	return fchmodat(home, BOX_WORKSPACE, 0755, 0) == 0 &&
	    fchownat(home, BOX_WORKSPACE, uid, gid, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * While it is empty; not for a workspace that belongs to none, which could
 * not be moved in then.
 */
static void
assign_project(const struct box *box, int home)
{
	cleanup_close int old = open_folder(box->dir, BOX_WORKSPACE);

	if (old < 0)
		old = open_folder(home, BOX_WORKSPACE);
	if (old < 0 || project_has(old, box->slice.uid))
		project_assign(home, box->slice.uid);
}

/*
 * Beside its name, and the name comes last: what has that name is whole.
 * Until then nothing runs that could have put anything there but us.
 */
static enum sbx_err
make_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	const struct box *box = arg;
	uid_t uid = first_uid + LOCAL_UID_SANDBOX;
	gid_t gid = first_gid + LOCAL_UID_SANDBOX;
	cleanup_close int home = -1;

	if (mkdirat(box->dir, BOX_HOME_NEW, 0700) == 0 || errno == EEXIST)
		home = open_folder(box->dir, BOX_HOME_NEW);
	if (home >= 0) {
		assign_project(box, home);
		for (size_t i = 0; i < sizeof(skeleton) / sizeof(skeleton[0]);
		     i++)
			put_skeleton(home, skeleton[i], uid, gid);
	}
	if (home >= 0 && put_workspace(box->dir, home, uid, gid) &&
	    fchmod(home, 0755) == 0 && fchown(home, uid, gid) == 0 &&
	    renameat(box->dir, BOX_HOME_NEW, box->dir, BOX_HOME) == 0)
		return SBX_OK;
	return sbx_fail(
	    why, SBX_IO, "cannot make the home: %s", strerror(errno));
}

enum sbx_err
home_make(const struct box *box, struct sbx_why *why)
{
	if (box->isolation == ISOLATION_NAMESPACES)
		return faccessat(
			   box->dir, BOX_HOME, F_OK, AT_SYMLINK_NOFOLLOW) == 0
		    ? SBX_OK
		    : userns_run(&box->slice, make_job, (void *)box, why);
	if (mkdirat(box->dir, BOX_WORKSPACE, 0700) == 0 || errno == EEXIST)
		return SBX_OK;
	return sbx_fail(
	    why, SBX_IO, "cannot make the workspace: %s", strerror(errno));
}

static enum sbx_err
remove_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	static const char *const names[] = { BOX_HOME, BOX_HOME_NEW,
		BOX_WORKSPACE };
	const struct box *box = arg;
	enum sbx_err err = SBX_OK;

	(void)first_uid;
	(void)first_gid;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum sbx_err one = tree_remove(box->dir, names[i], why);

		if (one != SBX_OK)
			err = one;
	}
	return err;
}

enum sbx_err
home_remove(const struct box *box, struct sbx_why *why)
{
	return box->isolation == ISOLATION_NAMESPACES
	    ? userns_run(&box->slice, remove_job, (void *)box, why)
	    : remove_job((void *)box, 0, 0, why);
}
