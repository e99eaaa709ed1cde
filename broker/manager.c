/* SPDX-License-Identifier: ISC */
#include "broker/manager.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

static bool
has_option(int fd, int option, int want)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 &&
	    value == want;
}

static enum sbx_err
take_socket(const struct manager_variables *v, pid_t pid, int *ret_fd,
    struct sbx_why *why)
{
	const int fd = MANAGER_FIRST_FD;
	uint64_t number;

	if (v->listen_pid == NULL || v->listen_fds == NULL ||
	    text_uint(v->listen_pid, 1, INT32_MAX, &number) != SBX_OK ||
	    (pid_t)number != pid)
		return SBX_OK;
	if (text_uint(v->listen_fds, 0, INT32_MAX, &number) != SBX_OK ||
	    number > 1)
		return sbx_fail(why, SBX_USAGE,
		    "LISTEN_FDS=%.20s: sandboxd takes one socket; give "
		    "sandboxd.socket one ListenStream",
		    v->listen_fds);
	if (number == 0)
		return SBX_OK;
	if (!has_option(fd, SO_DOMAIN, AF_UNIX) ||
	    !has_option(fd, SO_TYPE, SOCK_STREAM) ||
	    !has_option(fd, SO_ACCEPTCONN, 1))
		return sbx_fail(why, SBX_USAGE,
		    "descriptor %d, handed over by the service manager, is no "
		    "listening UNIX stream socket",
		    fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return SBX_IO;
	*ret_fd = fd;
	return SBX_OK;
}

/* A path, or a name in the abstract space after '@'. */
static void
take_address(const char *text, struct manager *ret)
{
	size_t len = strlen(text);

	if ((*text != '/' && *text != '@') || len < 2 ||
	    len >= sizeof(ret->notify.sun_path))
		return;
	ret->notify.sun_family = AF_UNIX;
	memcpy(ret->notify.sun_path, text, len);
	if (*text == '@')
		ret->notify.sun_path[0] = '\0';
	ret->notify_len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

enum sbx_err
manager_find(const struct manager_variables *variables, pid_t pid,
    struct manager *ret, struct sbx_why *why)
{
	struct manager found = MANAGER_NONE;
	enum sbx_err err = take_socket(variables, pid, &found.listen_fd, why);

	if (err != SBX_OK)
		return err;
	if (variables->notify_socket != NULL)
		take_address(variables->notify_socket, &found);
	*ret = found;
	return SBX_OK;
}

enum sbx_err
manager_check_path(
    const struct manager *manager, const char *path, struct sbx_why *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);

	if (getsockname(
		manager->listen_fd, (struct sockaddr *)&address, &len) == 0 &&
	    strncmp(address.sun_path, path, sizeof(address.sun_path)) == 0)
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "the service manager listens at %.107s, but socket is %s: make "
	    "ListenStream of sandboxd.socket and sandboxd.conf agree",
	    *address.sun_path == '\0' ? "another address" : address.sun_path,
	    path);
}

bool
manager_is_there(const struct manager *manager)
{
	return manager->listen_fd >= 0 || manager->notify_len > 0;
}

void
manager_tell(const struct manager *manager, const char *lines)
{
	cleanup_close int fd = -1;

	if (manager->notify_len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL,
		    (const struct sockaddr *)&manager->notify,
		    manager->notify_len);
}

void
manager_tell_reload(const struct manager *manager)
{
	struct timespec now = { 0 };
	char lines[96];

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(lines, sizeof(lines),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	manager_tell(manager, lines);
}
