/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

#define NEXT_STEP_MS 10000

static bool
become(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0;
}

/* A new namespace, root in it once the parent has mapped it. */
static int
enter(int sync)
{
	char byte;

	if (unshare(CLONE_NEWUSER) < 0)
		return child_fail("unshare");
	if (write(sync, "", 1) != 1 || read(sync, &byte, 1) != 1)
		return EX_OSERR; /* the parent knows why */
	return become(0, 0) ? 0
			    : child_fail("cannot become root of the namespace");
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

/* The sandbox's own namespace. */
static size_t
rows_of_sandbox(uint64_t first, struct map ret[static MAP_ROWS])
{
	ret[0] = (struct map){ 0, first, LOCAL_SLICE };
	return 1;
}

/* The one in which an ordinary user has power over the slice. */
static size_t
rows_of_admin(uint64_t self, uint64_t first, struct map ret[static MAP_ROWS])
{
	ret[0] = (struct map){ 0, self, 1 };
	ret[1] = (struct map){ 1, first, LOCAL_SLICE };
	return 2;
}

static enum sbx_err
write_map(pid_t pid, const char *file, const struct map *rows, size_t count,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(256);
	cleanup_close int fd = -1;
	char path[64];

	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    rows[i].inside, rows[i].outside, rows[i].count);
	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || file_write_fd(fd, buf_view(&text)) != SBX_OK)
		return sbx_fail(why, SBX_UNAVAILABLE, "cannot write %s: %s",
		    file, strerror(errno));
	return SBX_OK;
}

static enum sbx_err
write_sandbox_maps(
    pid_t pid, uint64_t first_uid, uint64_t first_gid, struct sbx_why *why)
{
	struct map rows[MAP_ROWS];
	size_t count = rows_of_sandbox(first_uid, rows);
	enum sbx_err err = write_map(pid, "uid_map", rows, count, why);

	if (err != SBX_OK)
		return err;
	count = rows_of_sandbox(first_gid, rows);
	return write_map(pid, "gid_map", rows, count, why);
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

/* Wait until the child is in its namespace. */
static enum sbx_err
await(const struct child *child, struct sbx_why *why)
{
	char line[320];

	if (child_hear(child, NEXT_STEP_MS))
		return SBX_OK;
	child_last_line(child, line, sizeof(line));
	return sbx_fail(why, SBX_UNAVAILABLE, "%s", line);
}

static enum sbx_err
let_go(const struct child *child)
{
	return child_tell(child, 0) ? SBX_OK : SBX_UNAVAILABLE;
}

static enum sbx_err
map_admin(const struct child *child, const struct local_slice *slice,
    struct sbx_why *why)
{
	struct map rows[MAP_ROWS];
	size_t count = rows_of_admin(geteuid(), slice->uid, rows);
	enum sbx_err err = await(child, why);

	if (err == SBX_OK)
		err = run_newidmap(child, "newuidmap", rows, count, why);
	count = rows_of_admin(getegid(), slice->gid, rows);
	if (err == SBX_OK)
		err = run_newidmap(child, "newgidmap", rows, count, why);
	return err != SBX_OK ? err : let_go(child);
}

bool
userns_act_as(uid_t uid)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (setresuid((uid_t)-1, uid, (uid_t)-1) < 0 ||
	    syscall(SYS_capget, &header, sets) < 0)
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		sets[i].effective = sets[i].permitted;
	return syscall(SYS_capset, &header, sets) == 0;
}

static enum sbx_err
map_as_maker(const struct child *child, const struct local_slice *slice,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (!userns_act_as((uid_t)slice->uid))
		err = sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot act as the sandbox's uid: %s", strerror(errno));
	if (err == SBX_OK)
		err =
		    write_sandbox_maps(child->pid, slice->uid, slice->gid, why);
	if (!userns_act_as(0))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot act as root again: %s", strerror(errno));
	return err;
}

enum sbx_err
userns_map_sandbox(const struct child *child, const struct local_slice *slice,
    struct sbx_why *why)
{
	enum sbx_err err;

	if (geteuid() != 0)
		return map_admin(child, slice, why);
	err = await(child, why);
	if (err == SBX_OK)
		err = map_as_maker(child, slice, why);
	return err != SBX_OK ? err : let_go(child);
}

/* Of a sandbox, in the outer namespace: what its user has is for four. */
#define OUTER_SHARE 4

/*
 * An ordinary user's child in the outer namespace keeps power there while it
 * becomes the slice's first uid, in the form of another process: that one
 * maps the sandbox's own namespace when it has heard a byte on sync.
 */
static int
keeper(int sync)
{
	struct sbx_why why = { "" };
	char byte;

	if (read(sync, &byte, 1) != 1)
		return EX_OSERR;
	if (write_sandbox_maps(getppid(), 1, 1, &why) != SBX_OK) {
		(void)dprintf(STDERR_FILENO, "%s\n", why.text);
		return EX_OSERR;
	}
	return write(sync, "", 1) == 1 ? 0 : EX_OSERR;
}

static pid_t
start_keeper(int *ret_sync)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		_exit(keeper(pair[1]));
	}
	(void)close(pair[1]);
	*ret_sync = pair[0];
	return pid;
}

static int
enter_below(int sync, const struct box_limits *limits)
{
	cleanup_close int keeper_sync = -1;
	struct counters outside;
	pid_t pid;
	int status;

	limits_read_counters(&outside);
	status = enter(sync);
	if (status != 0)
		return status;
	limits_write_counters(&outside, OUTER_SHARE);
	pid = start_keeper(&keeper_sync);
	if (pid < 0)
		return child_fail("cannot fork");
	/* Another uid's process is root's to see, unless it may be traced. */
	if (!limits_of_namespace(limits) || !become(1, 1) ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return child_fail("cannot become the sandbox's uid");
	status = enter(keeper_sync);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static int
enter_as_root(
    int sync, const struct local_slice *slice, const struct box_limits *limits)
{
	struct counters outside;
	int status;

	limits_read_counters(&outside);
	if (!limits_of_namespace(limits) ||
	    !become((uid_t)slice->uid, (gid_t)slice->gid))
		return child_fail("cannot become the sandbox's uid");
	status = enter(sync);
	if (status == 0)
		limits_write_counters(&outside, /* share= */ 1);
	return status;
}

int
userns_enter_sandbox(
    int sync, const struct local_slice *slice, const struct box_limits *limits)
{
	int status = geteuid() == 0 ? enter_as_root(sync, slice, limits)
				    : enter_below(sync, limits);

	if (status != 0)
		return status;
	return limits_of_users(limits) ? 0 : child_fail("limits");
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
	int status = enter(sync);
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
		err = map_admin(&child, slice, why);
	if (err != SBX_OK)
		return err;
	child_last_line(&child, line, sizeof(line));
	return child_wait(&child) == 0 ? SBX_OK
				       : sbx_fail(why, SBX_IO, "%s", line);
}
