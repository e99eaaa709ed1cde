/* SPDX-License-Identifier: ISC */
/*
 * The service manager that started us, if one did: the socket that it handed
 * over, and what it is told.  The protocols are systemd's: sd_listen_fds(3)
 * and sd_notify(3).
 */
#ifndef SBX_BROKER_MANAGER_H
#define SBX_BROKER_MANAGER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/err.h"

#define MANAGER_FIRST_FD 3 /* of those that it hands over */

/* Variables of the environment; NULL where there is none. */
struct manager_variables {
	const char *notify_socket; /* NOTIFY_SOCKET */
	const char *listen_pid;	   /* LISTEN_PID */
	const char *listen_fds;	   /* LISTEN_FDS */
};

struct manager {
	struct sockaddr_un notify;
	socklen_t notify_len; /* 0: nobody wants to be told */
	int listen_fd;	      /* to be closed by whoever takes it; or -1 */
};

#define MANAGER_NONE ((struct manager){ .listen_fd = -1 })

/*
 * pid: our own, since variables may be another process's.  SBX_USAGE when it
 * hands over something else than one listening UNIX stream socket.
 */
enum sbx_err manager_find(const struct manager_variables *variables, pid_t pid,
    struct manager *ret, struct sbx_why *why) MUST_USE;
/* SBX_CONFIG when the socket that it handed over is not at path. */
enum sbx_err manager_check_path(const struct manager *manager, const char *path,
    struct sbx_why *why) MUST_USE;
bool manager_is_there(const struct manager *manager) MUST_USE;
/* Lines NAME=VALUE.  Whether it heard us makes no difference to us. */
void manager_tell(const struct manager *manager, const char *lines);
/* That a reload begins; READY=1 ends it. */
void manager_tell_reload(const struct manager *manager);

#endif
