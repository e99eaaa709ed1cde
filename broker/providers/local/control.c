/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"

#define CONTROL "control"
#define ANSWER_MS 5000

/* By way of the open folder: its own path may be too long for a socket's. */
static int
make_socket(const struct box *box, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path),
	    "/proc/self/fd/%d/" CONTROL, box->dir);
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

enum sbx_err
control_bind(const struct box *box, int *ret, struct sbx_why *why)
{
	struct sockaddr_un address;
	cleanup_close int fd = make_socket(box, &address);

	(void)unlinkat(box->dir, CONTROL, 0); /* of an earlier start */
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return sbx_fail(why, SBX_IO,
		    "cannot make the sandbox's control socket: %s",
		    strerror(errno));
	*ret = steal_fd(&fd);
	return SBX_OK;
}

static bool
send_descriptors(int fd, const int descriptors[2])
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { .room = "" };
	struct iovec bytes = { (void *)"L", 1 };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(&control.header), descriptors, 2 * sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static bool
hear(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char byte;
	int n;

	do
		n = poll(&p, 1, ANSWER_MS);
	while (n < 0 && errno == EINTR);
	return n > 0 && read(fd, &byte, 1) == 1;
}

enum sbx_err
control_replace_listener(
    const struct box *box, int listener, struct sbx_why *why)
{
	struct sockaddr_un address;
	cleanup_close int fd = make_socket(box, &address);
	cleanup_close int ours = -1, theirs = -1;
	int pair[2];

	if (fd < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a socket: %s", strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    !send_descriptors(fd, (const int[]){ listener, theirs }))
		return sbx_fail(why, SBX_STATE,
		    "the socket of sandbox %s was removed while it runs, and "
		    "it takes no other (%s): stop it and start it",
		    box->id, strerror(errno));
	(void)close(steal_fd(&theirs));
	if (hear(ours))
		return SBX_OK;
	return sbx_fail(why, SBX_TIMEOUT,
	    "sandbox %s does not take a new socket: stop it and start it",
	    box->id);
}
