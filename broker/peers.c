#include "broker/peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define THREAD_STACK (64 * 1024)

struct peer {
	struct peer *next;
	int fd;
	uid_t uid;
	bool calling;
	time_t deadline; /* CLOCK_MONOTONIC; while it is not calling */
};

/* As many as there are connections, so a list does. */
struct peers {
	struct peers_limits limits;
	pthread_mutex_t mutex;
	pthread_cond_t over;
	pthread_t watch;
	struct peer *first;
	bool closed;
};

static time_t
clock_seconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Whoever reads or writes on it sees its end; its owner closes it. */
static void
end_the_slow(struct peers *peers, time_t now)
{
	for (struct peer *p = peers->first; p != NULL; p = p->next) {
		if (!p->calling && now > p->deadline)
			(void)shutdown(p->fd, SHUT_RDWR);
	}
}

static void *
watch(void *context)
{
	struct peers *peers = context;

	(void)pthread_mutex_lock(&peers->mutex);
	while (!peers->closed) {
		struct timespec when = { .tv_sec = clock_seconds() + 1 };

		end_the_slow(peers, when.tv_sec - 1);
		(void)pthread_cond_timedwait(
		    &peers->over, &peers->mutex, &when);
	}
	(void)pthread_mutex_unlock(&peers->mutex);
	return NULL;
}

static bool
run_watch(struct peers *peers)
{
	pthread_attr_t attr;
	bool ok;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	ok = pthread_create(&peers->watch, &attr, watch, peers) == 0;
	(void)pthread_attr_destroy(&attr);
	return ok;
}

static void
release(struct peers *peers)
{
	(void)pthread_cond_destroy(&peers->over);
	(void)pthread_mutex_destroy(&peers->mutex);
	free(peers);
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
	(void)pthread_cond_init(&peers->over, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (!run_watch(peers)) {
		release(peers);
		return SBX_NOMEM;
	}
	*ret = peers;
	return SBX_OK;
}

void
peers_free(struct peers *peers)
{
	if (peers == NULL)
		return;
	(void)pthread_mutex_lock(&peers->mutex);
	peers->closed = true;
	(void)pthread_cond_signal(&peers->over);
	(void)pthread_mutex_unlock(&peers->mutex);
	(void)pthread_join(peers->watch, NULL);
	release(peers);
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
	size_t max = peers->limits.connections, shared = 0, theirs = 0;

	for (const struct peer *p = peers->first; p != NULL; p = p->next) {
		shared += !is_free(peers, p->uid);
		theirs += p->uid == uid;
	}
	return is_free(peers, uid) ||
	    (theirs < max / 4 && shared < max - max / 8);
}

struct peer *
peer_add(struct peers *peers, int fd, uid_t uid)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	bool room;

	if (peer == NULL)
		return NULL;
	*peer = (struct peer){ .fd = fd,
		.uid = uid,
		.deadline = clock_seconds() + peers->limits.patience };
	(void)pthread_mutex_lock(&peers->mutex);
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

void
peer_remove(struct peers *peers, struct peer *peer)
{
	(void)pthread_mutex_lock(&peers->mutex);
	for (struct peer **at = &peers->first; *at != NULL; at = &(*at)->next) {
		if (*at == peer) {
			*at = peer->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&peers->mutex);
	free(peer);
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
