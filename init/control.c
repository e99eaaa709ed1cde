/* SPDX-License-Identifier: ISC */
#include "init/control.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

struct message {
	char text[CONTROL_TEXT + 2]; /* the first byte, too, and a NUL */
	int fd[2];		     /* that came along; or -1 */
};

/* Descriptors beyond two are closed by the kernel. */
static bool
receive(int fd, struct message *ret)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec bytes = { ret->text, sizeof(ret->text) - 1 };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct cmsghdr *header;
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	ret->fd[0] = ret->fd[1] = -1;
	if (n <= 0)
		return false;
	ret->text[n] = '\0';
	header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS)
		memcpy(
		    ret->fd, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return true;
}

static bool
is_listener(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 &&
	    value != 0;
}

/* Our socket's name was lost: accept on this one from now on. */
static void
take_listener(struct message *m, int *listen_fd)
{
	if (!is_listener(m->fd[0]) || fcntl(m->fd[0], F_SETFL, O_NONBLOCK) < 0)
		return;
	(void)close(*listen_fd);
	*listen_fd = steal_fd(&m->fd[0]);
	(void)send(m->fd[1], "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
control_take(
    int fd, int *listen_fd, const struct sessions *sessions, int64_t now)
{
	struct message m;

	if (!receive(fd, &m))
		return;
	switch (m.text[0]) {
	case 'L':
		take_listener(&m, listen_fd);
		break;
	case 'S':
		sessions_tell(sessions, m.fd[0], now);
		break;
	case 'W':
		sessions_warn(sessions, m.text + 1);
		break;
	}
	for (size_t i = 0; i < 2; i++) {
		if (m.fd[i] >= 0)
			(void)close(m.fd[i]);
	}
}
