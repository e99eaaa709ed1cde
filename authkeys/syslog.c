/* SPDX-License-Identifier: ISC */
#include "authkeys/syslog.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"

static enum sbx_err
fail_errno(void)
{
	return errno == EAGAIN ? SBX_TIMEOUT : SBX_UNAVAILABLE;
}

/* Connecting and sending both give up after SYSLOG_WAIT_MS. */
static enum sbx_err
open_socket(const char *path, int type, int *ret_fd)
{
	const struct timeval wait = { 0, SYSLOG_WAIT_MS * 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail_errno();
	if (strlen(path) >= sizeof(address.sun_path))
		return SBX_TOO_LARGE;
	memcpy(address.sun_path, path, strlen(path));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_errno();
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}

/* With a NUL at its end, as messages on a stream have it. */
void
syslog_put(int priority, const char *program, struct view text, struct buf *ret)
{
	buf_printf(ret, "<%d>%s[%ld]: ", priority, program, (long)getpid());
	buf_put_view(ret, text);
	buf_put_u8(ret, '\0');
}

enum sbx_err
syslog_send_put(const char *path, struct view message)
{
	cleanup_close int fd = -1;
	enum sbx_err err;

	if (message.len == 0)
		return SBX_TRUNCATED;
	err = open_socket(path, SOCK_DGRAM, &fd);
	if (err == SBX_OK)
		message.len--;
	else if (errno == EPROTOTYPE)
		err = open_socket(path, SOCK_STREAM, &fd);
	if (err != SBX_OK)
		return err;
	if (send(fd, message.p, message.len, MSG_NOSIGNAL) !=
	    (ssize_t)message.len)
		return fail_errno();
	return SBX_OK;
}

enum sbx_err
syslog_send(
    const char *path, int priority, const char *program, struct view text)
{
	cleanup_buf struct buf message = BUF_INIT(SYSLOG_MESSAGE_MAX);

	syslog_put(priority, program, text, &message);
	if (buf_error(&message) != SBX_OK)
		return buf_error(&message);
	return syslog_send_put(path, buf_view(&message));
}
