/* SPDX-License-Identifier: ISC */
#include "broker/front/peers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct peer {
	struct peer *next;
	int fd;
	uid_t uid;
	bool arrived;
	bool calling;
	bool streaming;
	bool waiting;	 /* for an answer; at first, too */
	time_t deadline; /* CLOCK_MONOTONIC; from arrival, while not calling */
	struct caller caller;
	time_t looked_up; /* when caller was; 0: never */
};

/* As many as there are connections, so a list does. */
struct peers {
	struct peers_limits limits;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct peer *first;
};

static time_t
clock_seconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

enum sbx_err
peers_new(const struct peers_limits *limits, struct peers **ret)
{
	struct peers *peers = calloc(1, sizeof(*peers));
	pthread_condattr_t attr;

	if (peers == NULL)
		return SBX_NOMEM;
	peers->limits = *limits;
	(void)pthread_mutex_init(&peers->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&peers->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	*ret = peers;
	return SBX_OK;
}

/* Under the mutex. */
static void
drop(struct peer **at)
{
	struct peer *peer = *at;

	*at = peer->next;
	free(peer);
}

void
peers_free(struct peers *peers)
{
	if (peers == NULL)
		return;
	while (peers->first != NULL)
		drop(&peers->first);
	(void)pthread_cond_destroy(&peers->changed);
	(void)pthread_mutex_destroy(&peers->mutex);
	free(peers);
}

static bool
is_free(const struct peers *peers, uid_t uid)
{
	return uid == 0 || uid == peers->limits.own_uid;
}

/* Under the mutex. */
static bool
has_room(const struct peers *peers, uid_t uid)
{
	size_t max = peers->limits.connections;
	size_t all = 0, shared = 0, theirs = 0;

	for (const struct peer *p = peers->first; p != NULL; p = p->next) {
		all++;
		shared += !is_free(peers, p->uid);
		theirs += p->uid == uid;
	}
	if (is_free(peers, uid))
		return all < max;
	return all < max && theirs < max / 4 && shared < max - max / 8;
}

/* Under the mutex. */
static void
drop_lost(struct peers *peers, int fd)
{
	for (struct peer **at = &peers->first; *at != NULL; at = &(*at)->next) {
		if (!(*at)->arrived && (*at)->fd == fd) {
			drop(at);
			return;
		}
	}
}

struct peer *
peer_add(struct peers *peers, int fd, uid_t uid)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	bool room;

	if (peer == NULL)
		return NULL;
	peer->fd = fd;
	peer->uid = uid;
	peer->waiting = true;
	(void)pthread_mutex_lock(&peers->mutex);
	drop_lost(peers, fd);
	room = has_room(peers, uid);
	if (room) {
		peer->next = peers->first;
		peers->first = peer;
	}
	(void)pthread_mutex_unlock(&peers->mutex);
	if (!room) {
		free(peer);
		return NULL;
	}
	return peer;
}

struct peer *
peer_arrive(struct peers *peers, int fd)
{
	struct peer *peer;

	(void)pthread_mutex_lock(&peers->mutex);
	peer = peers->first;
	while (peer != NULL && (peer->arrived || peer->fd != fd))
		peer = peer->next;
	if (peer != NULL) {
		peer->arrived = true;
		peer->deadline = clock_seconds() + peers->limits.patience;
	}
	(void)pthread_mutex_unlock(&peers->mutex);
	return peer;
}

void
peer_remove(struct peers *peers, struct peer *peer)
{
	(void)pthread_mutex_lock(&peers->mutex);
	for (struct peer **at = &peers->first; *at != NULL; at = &(*at)->next) {
		if (*at == peer) {
			drop(at);
			break;
		}
	}
	(void)pthread_cond_broadcast(&peers->changed);
	(void)pthread_mutex_unlock(&peers->mutex);
}

bool
peer_recall_caller(const struct peer *peer, struct caller *ret)
{
	if (peer->looked_up == 0 || peer->looked_up != clock_seconds())
		return false;
	*ret = peer->caller;
	return true;
}

void
peer_keep_caller(struct peer *peer, const struct caller *caller)
{
	peer->caller = *caller;
	peer->looked_up = clock_seconds();
}

bool
peer_begin_call(struct peers *peers, struct peer *peer)
{
	size_t calls = 0;

	(void)pthread_mutex_lock(&peers->mutex);
	for (const struct peer *p = peers->first; p != NULL; p = p->next)
		calls += p->calling && p->uid == peer->uid;
	peer->calling = is_free(peers, peer->uid) ||
	    calls < peers->limits.connections * 3 / 16;
	(void)pthread_mutex_unlock(&peers->mutex);
	return peer->calling;
}

void
peer_end_call(struct peers *peers, struct peer *peer)
{
	(void)pthread_mutex_lock(&peers->mutex);
	peer->calling = false;
	peer->deadline = clock_seconds() + peers->limits.patience;
	(void)pthread_mutex_unlock(&peers->mutex);
}

bool
peer_begin_stream(struct peers *peers, struct peer *peer)
{
	bool free = is_free(peers, peer->uid);
	size_t count = 0;

	(void)pthread_mutex_lock(&peers->mutex);
	for (const struct peer *p = peers->first; p != NULL; p = p->next)
		count += p->streaming &&
		    (free ? is_free(peers, p->uid) : p->uid == peer->uid);
	peer->streaming = count < peers->limits.connections / (free ? 2 : 8);
	(void)pthread_mutex_unlock(&peers->mutex);
	return peer->streaming;
}

void
peer_end_stream(struct peers *peers, struct peer *peer)
{
	(void)pthread_mutex_lock(&peers->mutex);
	if (peer->streaming)
		peer->deadline = clock_seconds() + peers->limits.patience;
	peer->streaming = false;
	(void)pthread_mutex_unlock(&peers->mutex);
}

void
peer_set_waiting(struct peers *peers, struct peer *peer, bool waiting)
{
	(void)pthread_mutex_lock(&peers->mutex);
	peer->waiting = waiting;
	(void)pthread_cond_broadcast(&peers->changed);
	(void)pthread_mutex_unlock(&peers->mutex);
}

/* Under the mutex. */
static bool
somebody_waits(const struct peers *peers)
{
	for (const struct peer *p = peers->first; p != NULL; p = p->next) {
		if (p->waiting && (p->calling || !p->streaming))
			return true;
	}
	return false;
}

void
peers_await(struct peers *peers, unsigned seconds)
{
	struct timespec deadline = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += (time_t)seconds;
	(void)pthread_mutex_lock(&peers->mutex);
	while (somebody_waits(peers) &&
	    pthread_cond_timedwait(&peers->changed, &peers->mutex, &deadline) !=
		ETIMEDOUT)
		continue;
	(void)pthread_mutex_unlock(&peers->mutex);
}

void
peers_end_slow(struct peers *peers)
{
	time_t now = clock_seconds();

	(void)pthread_mutex_lock(&peers->mutex);
	for (struct peer *p = peers->first; p != NULL; p = p->next) {
		if (p->arrived && !p->calling && !p->streaming &&
		    now > p->deadline)
			(void)shutdown(p->fd, SHUT_RDWR);
	}
	(void)pthread_mutex_unlock(&peers->mutex);
}
