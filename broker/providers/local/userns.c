/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

#define NEXT_STEP_MS 10000

int
userns_enter(int sync)
{
	char byte;

	if (unshare(CLONE_NEWUSER) < 0)
		return child_fail("unshare");
	if (write(sync, "", 1) != 1 || read(sync, &byte, 1) != 1)
		return EX_OSERR; /* the parent knows why */
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
	    setresuid(0, 0, 0) < 0)
		return child_fail("cannot become root of the namespace");
	return 0;
}

/*
 * What says that there can be none, whoever asks and however often.  Running
 * out of them (ENOSPC) is no such thing, unless none are allowed at all: a
 * sandbox that uses them up must not talk us out of isolating the next.
 */
static bool
is_forbidden(int error)
{
	cleanup_buf struct buf limit = BUF_INIT(64);

	if (error == EPERM || error == ENOSYS || error == EINVAL)
		return true;
	return error == ENOSPC &&
	    file_read(AT_FDCWD, "/proc/sys/user/max_user_namespaces", &limit,
		NULL) == SBX_OK &&
	    view_eq_str(buf_view(&limit), "0\n");
}

#define FORBIDDEN_STATUS 1

static int
try_body(void *arg, int sync)
{
	int error;

	(void)arg;
	(void)sync;
	if (unshare(CLONE_NEWUSER) == 0)
		return 0;
	error = errno;
	(void)child_fail("unshare");
	return is_forbidden(error) ? FORBIDDEN_STATUS : EX_OSERR;
}

enum sbx_err
userns_allowed(struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	enum sbx_err err =
	    child_start(try_body, NULL, CHILD_ATTACHED, &child, why);
	char line[320];
	int status;

	if (err != SBX_OK)
		return err;
	child_last_line(&child, line, sizeof(line));
	status = child_wait(&child);
	if (status == 0)
		return SBX_OK;
	return sbx_fail(why,
	    status == FORBIDDEN_STATUS ? SBX_REFUSED : SBX_UNAVAILABLE, "%s",
	    line);
}

struct map {
	uint64_t inside;
	uint64_t outside;
	uint64_t count;
};

#define MAP_ROWS 2

static size_t
rows_of(enum userns_kind kind, uint64_t self, uint64_t slice,
    struct map ret[static MAP_ROWS])
{
	if (kind == USERNS_SANDBOX) {
		ret[0] = (struct map){ 0, slice, LOCAL_SLICE };
		return 1;
	}
	ret[0] = (struct map){ 0, self, 1 };
	ret[1] = (struct map){ 1, slice, LOCAL_SLICE };
	return 2;
}

static enum sbx_err
write_map(const struct child *child, const char *file, const struct map *rows,
    size_t count, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(256);
	cleanup_close int fd = -1;
	char path[64];

	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    rows[i].inside, rows[i].outside, rows[i].count);
	(void)snprintf(
	    path, sizeof(path), "/proc/%ld/%s", (long)child->pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || file_write_fd(fd, buf_view(&text)) != SBX_OK)
		return sbx_fail(why, SBX_UNAVAILABLE, "cannot write %s: %s",
		    file, strerror(errno));
	return SBX_OK;
}

/* newuidmap PID INSIDE OUTSIDE COUNT ... */
static enum sbx_err
run_newidmap(const struct child *child, const char *program,
    const struct map *rows, size_t count, struct sbx_why *why)
{
	char number[1 + 3 * MAP_ROWS][24];
	char *argv[3 + 3 * MAP_ROWS] = { (char *)program };
	struct sbx_why said = { "" };
	size_t n = 0;
	enum sbx_err err;

	(void)snprintf(number[n++], 24, "%ld", (long)child->pid);
	for (size_t i = 0; i < count; i++) {
		const uint64_t value[] = { rows[i].inside, rows[i].outside,
			rows[i].count };

		for (size_t j = 0; j < 3; j++)
			(void)snprintf(number[n++], 24, "%" PRIu64, value[j]);
	}
	for (size_t i = 0; i < n; i++)
		argv[1 + i] = number[i];
	err = child_run(argv, &said);
	if (err == SBX_UNAVAILABLE)
		return sbx_fail(why, err,
		    "%s cannot be run; on Debian: apt-get install uidmap",
		    program);
	return err == SBX_OK ? SBX_OK
			     : sbx_fail(why, SBX_UNAVAILABLE, "%s", said.text);
}

enum sbx_err
userns_map(const struct child *child, enum userns_kind kind,
    const struct local_slice *slice, struct sbx_why *why)
{
	struct map uid[MAP_ROWS], gid[MAP_ROWS];
	size_t count = rows_of(kind, geteuid(), slice->uid, uid);
	char line[320];
	enum sbx_err err;

	(void)rows_of(kind, getegid(), slice->gid, gid);
	if (!child_hear(child, NEXT_STEP_MS)) {
		child_last_line(child, line, sizeof(line));
		return sbx_fail(why, SBX_UNAVAILABLE, "%s", line);
	}
	if (geteuid() == 0) {
		err = write_map(child, "uid_map", uid, count, why);
		if (err == SBX_OK)
			err = write_map(child, "gid_map", gid, count, why);
	} else {
		err = run_newidmap(child, "newuidmap", uid, count, why);
		if (err == SBX_OK)
			err = run_newidmap(child, "newgidmap", gid, count, why);
	}
	if (err == SBX_OK && !child_tell(child))
		return SBX_UNAVAILABLE;
	return err;
}

struct admin {
	userns_job *job;
	void *arg;
};

static int
admin_body(void *arg, int sync)
{
	const struct admin *admin = arg;
	struct sbx_why why = { "" };
	int status = userns_enter(sync);
	enum sbx_err err;

	if (status != 0)
		return status;
	/* In here we are 0, so the slice starts at 1. */
	err = admin->job(admin->arg, 1, 1, &why);
	if (err == SBX_OK)
		return 0;
	(void)dprintf(STDERR_FILENO, "%s\n", sbx_why_text(&why, err));
	return EX_IOERR;
}

enum sbx_err
userns_run(const struct local_slice *slice, userns_job *job, void *arg,
    struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	struct admin admin = { job, arg };
	enum sbx_err err;
	char line[320];

	if (geteuid() == 0)
		return job(arg, (uid_t)slice->uid, (gid_t)slice->gid, why);
	err = child_start(admin_body, &admin, CHILD_ATTACHED, &child, why);
	if (err == SBX_OK)
		err = userns_map(&child, USERNS_ADMIN, slice, why);
	if (err != SBX_OK)
		return err;
	child_last_line(&child, line, sizeof(line));
	return child_wait(&child) == 0 ? SBX_OK
				       : sbx_fail(why, SBX_IO, "%s", line);
}
