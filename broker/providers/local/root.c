/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/providers/local/as_user.h"
#include "broker/providers/local/launch.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"

/* In the sandbox's namespaces, on the host's root, while it is unpacked. */
#define UNPACK "/opt/sandbox-unpack"
#define TARGET "/mnt"

static enum sbx_err
make_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why)
{
	const int *dir = arg;

	if (mkdirat(*dir, BOX_ROOT, 0755) == 0 &&
	    fchmodat(*dir, BOX_ROOT, 0755, 0) == 0 &&
	    fchownat(
		*dir, BOX_ROOT, first_uid, first_gid, AT_SYMLINK_NOFOLLOW) == 0)
		return SBX_OK;
	return sbx_fail(
	    why, SBX_IO, "cannot make the root: %s", strerror(errno));
}

static void
add_number(struct bwrap *b, const char *option, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	bwrap_add(b, option);
	bwrap_add(b, text);
}

/*
 * By a program that has the folder, the tar and nothing else; it may take as
 * much as the home.
 */
static enum sbx_err
unpack(const struct provider_context *context, const struct box *box, int tar,
    struct sbx_why *why)
{
	cleanup_launch struct launch launch;
	struct bwrap *b = &launch.bwrap;
	struct sbx_why said = { "" };
	char program[PATHS_MAX];
	int dir = box->dir;
	enum sbx_err err = userns_run(&box->slice, make_job, &dir, why);

	if (err == SBX_OK)
		err =
		    paths_join(context->libexec_dir, "sandbox-unpack", program);
	launch_begin(&launch, &context->limits, &box->slice, box);
	if (err != SBX_OK)
		return err;
	launch.input = tar;
	bwrap_begin(b, &launch.stage);
	bwrap_copy(b, "0755", UNPACK, program);
	bwrap_add(b, "--die-with-parent");
	bwrap_add_three(b, "--bind", STAGE_BOX "/" BOX_ROOT, TARGET);
	bwrap_add(b, "--");
	bwrap_add(b, UNPACK);
	add_number(b, "--max-bytes", launch.limits.workspace);
	add_number(b, "--max-files", launch.limits.files);
	add_number(b, "--ids", LOCAL_SLICE);
	bwrap_add(b, TARGET);
	err = launch_run(&launch, &said);
	return err == SBX_OK
	    ? SBX_OK
	    : sbx_fail(why, SBX_BAD_VALUE, "cannot unpack %.200s: %s",
		  box->root, sbx_why_text(&said, err));
}

enum sbx_err
root_take(const struct provider_context *context, const struct box *box,
    struct sbx_why *why)
{
	cleanup_close int fd = -1;
	struct stat st;
	enum sbx_err err;

	if (*box->root == '\0')
		return SBX_OK;
	err = as_user_open(box->owner, box->root, &fd, why);
	if (err != SBX_OK)
		return err;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return unpack(context, box, fd, why);
	if (!S_ISDIR(st.st_mode))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%.200s is neither a folder nor a tar", box->root);
	/* It is nobody's in the sandbox, and so all there are others. */
	if ((st.st_mode & 05) != 05)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "nobody else may read %.200s, sandboxes neither: chmod "
		    "o+rx what is to be seen",
		    box->root);
	return SBX_OK;
}

/*
 * A file system of the user's own (FUSE) may never answer, and who waits for it
 * cannot be killed.  That process has the lock as well, so for one sandbox
 * there is one of them, and while it is there the sandbox counts, removed or
 * not.
 */
static enum sbx_err
open_alone(const struct box *box, int *ret_fd, struct sbx_why *why)
{
	enum sbx_err err;

	if (flock(box->dir, LOCK_EX | LOCK_NB) < 0)
		return sbx_fail(why, SBX_STATE,
		    "who was to open %.200s for an earlier start still waits "
		    "for it",
		    box->root);
	err = as_user_open(box->owner, box->root, ret_fd, why);
	(void)flock(box->dir, LOCK_UN);
	return err;
}

enum sbx_err
root_open(const struct box *box, int *ret_fd, struct sbx_why *why)
{
	if (*box->root == '\0')
		return SBX_OK;
	if (faccessat(box->dir, BOX_ROOT, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return file_open_dir(box->dir, BOX_ROOT, ret_fd, why);
	return open_alone(box, ret_fd, why);
}
