/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/handoff.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum sbx_err
handoff_check(int out, bool *ret_possible, struct sbx_why *why)
{
	struct stat st;

	if (fstat(out, &st) == 0 &&
	    (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode))) {
		*ret_possible = S_ISSOCK(st.st_mode);
		return SBX_OK;
	}
	return sbx_fail(why, SBX_USAGE,
	    "--fdpass needs a socket as standard output: set ProxyUseFdpass "
	    "yes in ssh_config, or leave --fdpass out");
}

enum handoff_reader
handoff_look(int out)
{
	int unread = 0;
	char byte;
	ssize_t n = recv(out, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return HANDOFF_GONE;
	return ioctl(out, SIOCOUTQ, &unread) == 0 && unread > 0 ? HANDOFF_BLIND
								: HANDOFF_READY;
}

enum sbx_err
handoff_send(int out, int fd, struct sbx_why *why)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec byte = { .iov_base = (char[]){ 0 }, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&msg);
	ssize_t n;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	do
		n = sendmsg(out, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return SBX_OK;
	return sbx_fail(why,
	    errno == EPIPE || errno == ECONNRESET ? SBX_UNAVAILABLE : SBX_IO,
	    "cannot hand the connection to ssh: %s", strerror(errno));
}
