/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/dial/helper.h"
#include "proxycmd/dial/kind.h"

#define BACKLOG_PAUSE 20 /* milliseconds until a full queue is tried again */

static enum step
wait_for(struct attempt *a, int fd, short events, attempt_step *next)
{
	a->watch = fd;
	a->events = events;
	a->again.at = 0;
	a->step = next;
	return STEP_WAIT;
}

static enum step
failed(struct attempt *a, enum sbx_err err)
{
	a->err = err;
	return STEP_FAILED;
}

static enum step
refused(struct attempt *a, int error)
{
	return failed(a,
	    sbx_fail(&a->why,
		error == ETIMEDOUT ? SBX_TIMEOUT : SBX_UNAVAILABLE,
		"cannot connect to %s: %s", a->endpoint->text,
		strerror(error)));
}

static enum step
greet(struct attempt *a)
{
	short events = 0;
	enum sbx_err err = greeting_step(a->greeting, a->fd, &events, &a->why);

	if (err == SBX_OK)
		return STEP_DONE;
	if (err == SBX_STATE)
		return wait_for(a, a->fd, events, greet);
	return failed(a, err);
}

static enum step
connected(struct attempt *a)
{
	greeting_maker *maker = a->endpoint->kind->greet;
	enum sbx_err err;

	if (maker == NULL)
		return STEP_DONE;
	a->greeting = calloc(1, sizeof(*a->greeting));
	if (a->greeting == NULL)
		return failed(a, SBX_NOMEM);
	*a->greeting = (struct greeting){ .endpoint = a->endpoint,
		.request = BUF_INIT(GREETING_MAX),
		.answer = BUF_INIT(GREETING_MAX) };
	err = maker(a->endpoint, a->setup, a->greeting, &a->why);
	return err == SBX_OK ? greet(a) : failed(a, err);
}

static enum step
finish_connect(struct attempt *a)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	return error == 0 ? connected(a) : refused(a, error);
}

static enum step
start_socket(struct attempt *a, const void *to, socklen_t len)
{
	if (connect(a->fd, to, len) == 0)
		return connected(a);
	if (errno == EINPROGRESS || errno == EINTR)
		return wait_for(a, a->fd, POLLOUT, finish_connect);
	return refused(a, errno);
}

static bool
open_socket(struct attempt *a, int family)
{
	a->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return a->fd >= 0;
}

/* A full queue is nothing that could be waited for: ask again. */
static enum step
connect_unix(struct attempt *a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, a->endpoint->path, sizeof(to.sun_path));
	if (connect(a->fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return connected(a);
	if (errno != EAGAIN && errno != EINTR)
		return refused(a, errno);
	(void)wait_for(a, -1, 0, connect_unix);
	a->again = deadline_in(BACKLOG_PAUSE);
	return STEP_WAIT;
}

enum step
attempt_start_unix(struct attempt *a)
{
	return open_socket(a, AF_UNIX) ? connect_unix(a) : refused(a, errno);
}

enum step
attempt_start_vsock(struct attempt *a)
{
	struct sockaddr_vm to = { .svm_family = AF_VSOCK,
		.svm_cid = a->endpoint->cid,
		.svm_port = a->endpoint->number };
	enum step result = open_socket(a, AF_VSOCK)
	    ? start_socket(a, &to, sizeof(to))
	    : refused(a, errno);

	if (result == STEP_FAILED && (errno == EAFNOSUPPORT || errno == ENODEV))
		a->err = sbx_fail(&a->why, SBX_UNAVAILABLE,
		    "cannot connect to %s: this kernel has no vsock that "
		    "leads there (%s): load vhost_vsock, or vsock_loopback "
		    "for CID 1",
		    a->endpoint->text, strerror(errno));
	return result;
}

enum step
attempt_start_tcp(struct attempt *a)
{
	int on = 1;

	/*
	 * Without TCP_NODELAY the key exchange waits for delayed
	 * acknowledgements; ssh sets it only after that.
	 */
	if (!open_socket(a, a->address->sa.ss_family) ||
	    setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(a->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0)
		return refused(a, errno);
	return start_socket(a, &a->address->sa, a->address->len);
}

/* Every SSH server speaks first: whoever has spoken is one, or says why not. */
static enum step
hear_command(struct attempt *a)
{
	uint8_t byte;
	ssize_t n = recv(a->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return wait_for(a, a->fd, POLLIN, hear_command);
	if (n <= 0)
		return failed(a,
		    sbx_fail(&a->why, SBX_UNAVAILABLE,
			"the command of [exec \"%s\"] ended without a word "
			"from a server",
			a->endpoint->name));
	a->pid = 0; /* it lives on with the connection */
	return STEP_DONE;
}

enum step
attempt_start_exec(struct attempt *a)
{
	enum sbx_err err = helper_start_command(
	    a->endpoint, a->setup, &a->pid, &a->fd, &a->why);

	return err == SBX_OK ? hear_command(a) : failed(a, err);
}

static enum step
hear_relay(struct attempt *a)
{
	enum sbx_err err = helper_relay_ready(a->status, &a->why);

	if (err != SBX_OK)
		return failed(a, err);
	a->pid = 0; /* it lives on with the connection */
	return STEP_DONE;
}

enum step
attempt_start_relay(struct attempt *a)
{
	enum sbx_err err = helper_start_relay(
	    a->endpoint, a->setup, &a->pid, &a->fd, &a->status, &a->why);

	return err == SBX_OK ? wait_for(a, a->status, POLLIN, hear_relay)
			     : failed(a, err);
}

static enum step
heard_of_addresses(struct attempt *a)
{
	(void)a;
	return STEP_DONE;
}

enum step
attempt_start_lookup(struct attempt *a)
{
	enum sbx_err err = lookup_start(
	    a->endpoint->host, a->endpoint->port, &a->status, &a->pid, &a->why);

	return err == SBX_OK
	    ? wait_for(a, a->status, POLLIN, heard_of_addresses)
	    : failed(a, err);
}

void
attempt_init(struct attempt *ret, const struct endpoint *endpoint,
    const struct dial_setup *setup, const struct address *address)
{
	*ret = (struct attempt){ .endpoint = endpoint,
		.setup = setup,
		.address = address,
		.watch = -1,
		.fd = -1,
		.status = -1 };
}

void
attempt_end(struct attempt *a)
{
	if (a->fd >= 0)
		(void)close(steal_fd(&a->fd));
	if (a->status >= 0)
		(void)close(steal_fd(&a->status));
	if (a->pid > 0) {
		(void)kill(a->pid, SIGKILL);
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		a->pid = 0;
	}
	greeting_free(a->greeting);
	a->greeting = NULL;
}
