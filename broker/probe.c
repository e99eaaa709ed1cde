#include "broker/probe.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

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
