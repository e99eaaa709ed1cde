/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/as_user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/providers/local/child.h"
#include "common/cleanup.h"

#define NOBODYS_GROUP 65534

struct wanted {
	uid_t uid;
	const char *path;
};

/* With the groups that the account has; a uid without one has none. */
static bool
become(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);
	gid_t gid = pw == NULL ? NOBODYS_GROUP : pw->pw_gid;
	bool ok = pw == NULL ? setgroups(0, NULL) == 0
			     : initgroups(pw->pw_name, gid) == 0;

	return ok && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0;
}

static bool
send_fd(int sync, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = "" };
	struct iovec byte = { (void *)"F", 1 };
	struct msghdr message = { .msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(sync, &message, MSG_NOSIGNAL) == 1;
}

static int
receive_fd(int sync)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = "" };
	char byte;
	struct iovec bytes = { &byte, 1 };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct cmsghdr *header;
	ssize_t n;
	int fd;

	do
		n = recvmsg(sync, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	header = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header == NULL || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static int
open_body(void *arg, int sync)
{
	const struct wanted *wanted = arg;
	int fd;

	if (geteuid() == 0 && wanted->uid != 0 && !become(wanted->uid))
		return child_fail("cannot act as the user");
	/* Where it can end at all: its parent has a time limit. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(wanted->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return child_fail(wanted->path);
	return send_fd(sync, fd) ? 0 : child_fail("cannot hand over the file");
}

enum sbx_err
as_user_open(uint64_t uid, const char *path, int *ret_fd, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	struct wanted wanted = { (uid_t)uid, path };
	enum sbx_err err =
	    child_start(open_body, &wanted, CHILD_ATTACHED, &child, why);
	char line[320];
	int fd;

	if (err != SBX_OK)
		return err;
	fd = receive_fd(child.sync);
	child_last_line(&child, line, sizeof(line));
	if (fd < 0)
		return sbx_fail(why, SBX_BAD_VALUE, "%s", line);
	*ret_fd = fd;
	return SBX_OK;
}
