#include "proxycmd/dial.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Attempts under way, and the ones that may follow. */
struct race {
	const struct address_list *list;
	struct pollfd pending[LOOKUP_MAX];
	size_t pending_count;
	size_t next;		      /* of the list */
	struct deadline next_attempt; /* not earlier, unless all failed */
	int error;		      /* errno of the last failure */
};

/* The first that is left, of another family than this one if there is any. */
static size_t
pick_next(
    const struct address_list *list, const bool *taken, sa_family_t family)
{
	size_t first = LOOKUP_MAX;

	for (size_t i = 0; i < list->count; i++) {
		if (taken[i])
			continue;
		if (list->item[i].sa.ss_family != family)
			return i;
		if (first == LOOKUP_MAX)
			first = i;
	}
	return first;
}

void
dial_interleave(struct address_list *list)
{
	struct address_list sorted = { 0 };
	bool taken[LOOKUP_MAX] = { false };
	sa_family_t family = AF_UNSPEC;

	while (sorted.count < list->count) {
		size_t pick = pick_next(list, taken, family);

		taken[pick] = true;
		family = list->item[pick].sa.ss_family;
		sorted.item[sorted.count++] = list->item[pick];
	}
	*list = sorted;
}

static void
failed(struct race *race, int error)
{
	race->error = error;
	race->next_attempt = deadline_in(0);
}

/* The connected descriptor if that was immediate, otherwise -1. */
static int
start_attempt(struct race *race)
{
	const struct address *to = &race->list->item[race->next++];
	cleanup_close int fd = socket(to->sa.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	race->next_attempt = deadline_in(DIAL_ATTEMPT);
	if (fd < 0) {
		failed(race, errno);
		return -1;
	}
	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) == 0)
		return steal_fd(&fd);
	if (errno != EINPROGRESS && errno != EINTR) {
		failed(race, errno);
		return -1;
	}
	race->pending[race->pending_count++] =
	    (struct pollfd){ .fd = steal_fd(&fd), .events = POLLOUT };
	return -1;
}

/* The one that has connected, or -1; failed ones are taken out. */
static int
take_winner(struct race *race)
{
	size_t i = 0;

	while (i < race->pending_count) {
		int fd = race->pending[i].fd, error = 0;
		socklen_t len = sizeof(error);

		if (race->pending[i].revents == 0) {
			i++;
			continue;
		}
		race->pending[i] = race->pending[--race->pending_count];
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		if (error == 0)
			return fd;
		(void)close(fd);
		failed(race, error);
	}
	return -1;
}

static int
run(struct race *race, struct deadline deadline)
{
	int fd = -1;

	while (fd < 0) {
		bool more = race->next < race->list->count;
		int wait = deadline_left(deadline);

		if (wait == 0) {
			race->error = ETIMEDOUT;
			return -1;
		}
		if (more && deadline_left(race->next_attempt) == 0) {
			fd = start_attempt(race);
			continue;
		}
		if (!more && race->pending_count == 0)
			return -1;
		if (more && deadline_left(race->next_attempt) < wait)
			wait = deadline_left(race->next_attempt);
		if (poll(race->pending, race->pending_count, wait) > 0)
			fd = take_winner(race);
	}
	return fd;
}

enum sbx_err
dial_race(
    const struct address_list *list, struct deadline deadline, int *ret_fd)
{
	struct race race = { .list = list,
		.next_attempt = deadline_in(0),
		.error = EHOSTUNREACH };
	int fd = run(&race, deadline);

	for (size_t i = 0; i < race.pending_count; i++)
		(void)close(race.pending[i].fd);
	if (fd < 0) {
		errno = race.error;
		return errno == ETIMEDOUT ? SBX_TIMEOUT : SBX_UNAVAILABLE;
	}
	*ret_fd = fd;
	return SBX_OK;
}

static enum sbx_err
set_options(int fd)
{
	int on = 1, flags = fcntl(fd, F_GETFL);

	/*
	 * Without TCP_NODELAY the key exchange waits for delayed
	 * acknowledgements; ssh sets it only after that.
	 */
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0)
		return SBX_IO;
	return SBX_OK;
}

static enum sbx_err
dial_tcp(const struct endpoint *endpoint, struct deadline deadline, int *ret_fd,
    struct sbx_why *why)
{
	struct address_list list;
	cleanup_close int fd = -1;
	enum sbx_err err =
	    lookup_host(endpoint->host, endpoint->port, deadline, &list, why);

	if (err != SBX_OK)
		return err;
	dial_interleave(&list);
	err = dial_race(&list, deadline, &fd);
	if (err == SBX_OK)
		err = set_options(fd);
	if (err != SBX_OK)
		return sbx_fail(why, err, "cannot connect to %s port %s: %s",
		    endpoint->host, endpoint->port, strerror(errno));
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}

static enum sbx_err
dial_unix(const struct endpoint *endpoint, struct deadline deadline,
    int *ret_fd, struct sbx_why *why)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	/* 0 would mean for ever */
	int left = deadline_left(deadline) + 1;
	struct timeval limit = { left / 1000, left % 1000 * 1000 };
	int error;

	memcpy(to.sun_path, endpoint->path, sizeof(to.sun_path));
	/*
	 * A full backlog makes connect() wait on a blocking socket, and only
	 * there: SO_SNDTIMEO is what bounds it.
	 */
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ==
		0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0) {
		limit = (struct timeval){ 0 };
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
			sizeof(limit)) == 0) {
			*ret_fd = steal_fd(&fd);
			return SBX_OK;
		}
	}
	error = errno == EAGAIN ? ETIMEDOUT : errno;
	return sbx_fail(why, error == ETIMEDOUT ? SBX_TIMEOUT : SBX_UNAVAILABLE,
	    "cannot connect to %s: %s", endpoint->path, strerror(error));
}

enum sbx_err
dial_endpoint(const struct endpoint *endpoint, struct deadline deadline,
    int *ret_fd, struct sbx_why *why)
{
	switch (endpoint->kind) {
	case ENDPOINT_UNIX:
		return dial_unix(endpoint, deadline, ret_fd, why);
	case ENDPOINT_TCP:
		return dial_tcp(endpoint, deadline, ret_fd, why);
	}
	return SBX_INTERNAL;
}
