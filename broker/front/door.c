/* SPDX-License-Identifier: ISC */
#include "broker/front/door.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "broker/thread.h"
#include "common/cleanup.h"

#define THREAD_STACK (64 * 1024)
#define BREATH 100 /* milliseconds, when there is no descriptor left */

struct door {
	struct door_setup setup;
	int closed_fd;
	pthread_t thread;
};

static void
send_away(struct door *door, int fd)
{
	static const char text[] = "HTTP/1.1 429 Too Many Requests\r\n"
				   "Connection: close\r\n"
				   "Content-Length: 0\r\n\r\n";

	(void)send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	discard_put(door->setup.discard, fd);
}

static bool
is_admitted(struct door *door, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    peer_add(door->setup.peers, fd,
		person_of(door->setup.persons, peer.uid)) != NULL;
}

/* False when there was nobody, or nothing to let them in with. */
static bool
let_in(struct door *door)
{
	int fd = accept4(
	    door->setup.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	if (is_admitted(door, fd))
		door->setup.entry(door->setup.context, fd);
	else
		send_away(door, fd);
	return true;
}

static void
look_around(struct door *door)
{
	peers_end_slow(door->setup.peers);
	discard_flush(door->setup.discard);
}

static void *
keep(void *context)
{
	struct door *door = context;
	struct pollfd fds[] = { { door->closed_fd, POLLIN, 0 },
		{ door->setup.listen_fd, POLLIN, 0 } };
	time_t last = 0;

	while (fds[0].revents == 0) {
		time_t now = time(NULL);
		int ready;

		if (now != last)
			look_around(door);
		last = now;
		ready = poll(fds, 2, 1000);
		/* poll(2) fails, too, if there may be no descriptors. */
		if (ready < 0 || (fds[1].revents != 0 && !let_in(door)))
			(void)poll(NULL, 0, BREATH);
	}
	return NULL;
}

enum sbx_err
door_open(const struct door_setup *setup, struct door **ret)
{
	cleanup_free struct door *door = calloc(1, sizeof(*door));
	cleanup_close int closed_fd = eventfd(0, EFD_CLOEXEC);

	if (door == NULL)
		return SBX_NOMEM;
	if (closed_fd < 0)
		return SBX_IO;
	*door = (struct door){ .setup = *setup, .closed_fd = closed_fd };
	if (!thread_start(keep, door, THREAD_STACK, &door->thread))
		return SBX_NOMEM;
	(void)steal_fd(&closed_fd);
	*ret = steal_ptr(&door);
	return SBX_OK;
}

void
door_close(struct door *door)
{
	if (door == NULL)
		return;
	(void)eventfd_write(door->closed_fd, 1);
	(void)pthread_join(door->thread, NULL);
	/*
	 * Those who were not let in any more wait for whoever has the socket
	 * as well; if nobody has, this is their end.
	 */
	discard_put(door->setup.discard, door->setup.listen_fd);
	(void)close(door->closed_fd);
	free(door);
}
