/* SPDX-License-Identifier: ISC */
#include "broker/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

static const char request[] = "GET /v1/health HTTP/1.1\r\n"
			      "Host: localhost\r\n"
			      "Connection: close\r\n"
			      "\r\n";
static const char wanted[] = "HTTP/1.1 200 ";

static int
dial(const char *path)
{
	const struct timeval timeout = { .tv_sec = PROBE_TIMEOUT };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return steal_fd(&fd);
}

bool
probe_socket(const char *path)
{
	cleanup_close int fd = dial(path);
	char answer[sizeof(wanted) - 1];
	size_t got = 0;

	if (fd < 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) !=
		(ssize_t)sizeof(request) - 1)
		return false;
	while (got < sizeof(answer)) {
		ssize_t n = recv(fd, answer + got, sizeof(answer) - got, 0);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return memcmp(answer, wanted, sizeof(answer)) == 0;
}

static enum sbx_err
no_one(const char *path, struct sbx_why *why)
{
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "nothing to stop: no sandboxd listens at %s", path);
}

/*
 * A pid may have been given to another process, which says so: unless it is
 * hidden from us (ProtectProc=).
 */
static bool
is_another(pid_t pid)
{
	cleanup_buf struct buf name = BUF_INIT(64);
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	return file_read(AT_FDCWD, path, &name, NULL) == SBX_OK &&
	    !view_eq_str(buf_view(&name), "sandboxd\n");
}

int
probe_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

enum sbx_err
probe_end(int process, pid_t pid, struct sbx_why *why)
{
	struct pollfd ended = { .fd = process, .events = POLLIN };

	if (process >= 0 && is_another(pid))
		return sbx_fail(
		    why, SBX_STATE, "process %ld is no sandboxd", (long)pid);
	if (process < 0 ||
	    syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0) < 0)
		return sbx_fail(why,
		    errno == ESRCH ? SBX_UNAVAILABLE : SBX_REFUSED,
		    "cannot stop sandboxd, process %ld: %s", (long)pid,
		    strerror(errno));
	if (poll(&ended, 1, PROBE_STOP_TIMEOUT * 1000) != 1)
		return sbx_fail(why, SBX_TIMEOUT,
		    "sandboxd, process %ld, does not end", (long)pid);
	return SBX_OK;
}

enum sbx_err
probe_stop(const char *path, pid_t *ret_pid, struct sbx_why *why)
{
	cleanup_close int fd = dial(path);
	cleanup_close int process = -1;
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	enum sbx_err err;

	if (fd < 0 && errno == EACCES)
		return sbx_fail(why, SBX_REFUSED,
		    "cannot see who listens at %s: %s", path, strerror(errno));
	if (fd < 0)
		return no_one(path, why);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    peer.pid <= 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot tell which process listens on %s", path);
	/* It would be waited for. */
	(void)close(steal_fd(&fd));
	process = probe_open(peer.pid);
	err = probe_end(process, peer.pid, why);
	if (err == SBX_STATE)
		return sbx_fail(why, SBX_STATE,
		    "a service manager listens at %s and would start the next "
		    "sandboxd: systemctl %sstop sandboxd.socket "
		    "sandboxd.service",
		    path, peer.pid == 1 ? "" : "--user ");
	if (err == SBX_UNAVAILABLE)
		return no_one(path, why);
	*ret_pid = peer.pid;
	return err;
}
