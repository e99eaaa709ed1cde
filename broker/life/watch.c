/* SPDX-License-Identifier: ISC */
#include "broker/life/watch.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Where much happens, one look for all of it: milliseconds. */
#define GATHER 50

struct watcher {
	struct watcher *next;
	struct watch *watch;
	uid_t person;
	int fd; /* an eventfd */
};

struct watch {
	pthread_mutex_t mutex;
	struct watcher *first;
	bool closed;
};

enum sbx_err
watch_new(struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_init(&watch->mutex, NULL);
	*ret = watch;
	return SBX_OK;
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	(void)pthread_mutex_destroy(&watch->mutex);
	free(watch);
}

static void
wake(struct watch *watch, bool close)
{
	static const uint64_t one = 1;

	(void)pthread_mutex_lock(&watch->mutex);
	watch->closed = watch->closed || close;
	/* It fails only where it would change nothing. */
	for (const struct watcher *w = watch->first; w != NULL; w = w->next)
		(void)!write(w->fd, &one, sizeof(one));
	(void)pthread_mutex_unlock(&watch->mutex);
}

void
watch_wake(struct watch *watch)
{
	wake(watch, /* close= */ false);
}

void
watch_close(struct watch *watch)
{
	wake(watch, /* close= */ true);
}

/* Under the mutex. */
static bool
has_room(const struct watch *watch, uid_t person)
{
	size_t count = 0;

	for (const struct watcher *w = watch->first; w != NULL; w = w->next)
		count += w->person == person;
	return person == WATCH_UNLIMITED || count < WATCH_MAX;
}

enum sbx_err
watch_begin(struct watch *watch, uid_t person, struct watcher **ret,
    struct sbx_why *why)
{
	struct watcher *w = calloc(1, sizeof(*w));
	bool room;

	if (w == NULL)
		return SBX_NOMEM;
	w->watch = watch;
	w->person = person;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		free(w);
		return sbx_fail(
		    why, SBX_UNAVAILABLE, "sandboxd has too few descriptors");
	}
	(void)pthread_mutex_lock(&watch->mutex);
	room = has_room(watch, person);
	if (room) {
		w->next = watch->first;
		watch->first = w;
	}
	(void)pthread_mutex_unlock(&watch->mutex);
	if (room) {
		*ret = w;
		return SBX_OK;
	}
	(void)close(w->fd);
	free(w);
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "%d of your calls wait for events, the limit: end one of them",
	    WATCH_MAX);
}

static bool
is_closed(struct watch *watch)
{
	bool closed;

	(void)pthread_mutex_lock(&watch->mutex);
	closed = watch->closed;
	(void)pthread_mutex_unlock(&watch->mutex);
	return closed;
}

bool
watch_wait(struct watcher *w, int fd, unsigned milliseconds)
{
	/* The end of a connection is told without being asked for. */
	struct pollfd fds[] = { { .fd = fd, .events = POLLRDHUP },
		{ .fd = w->fd, .events = POLLIN } };
	uint64_t count;

	if (is_closed(w->watch) || poll(fds, 2, (int)milliseconds) <= 0 ||
	    fds[0].revents != 0 || is_closed(w->watch))
		return false;
	(void)poll(fds, 1, GATHER);
	(void)!read(w->fd, &count, sizeof(count));
	return fds[0].revents == 0;
}

void
watch_end(struct watcher *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->watch->mutex);
	for (struct watcher **at = &w->watch->first; *at != NULL;
	     at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&w->watch->mutex);
	(void)close(w->fd);
	free(w);
}
