/* SPDX-License-Identifier: ISC */
#include "broker/front/discard.h"

#include <linux/close_range.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/thread.h"

#define KEPT 64
#define THREAD_STACK (64 * 1024)

struct discard {
	pthread_mutex_t mutex;
	int fd[KEPT]; /* the oldest first */
	size_t count;
	size_t flushed; /* of these, how many the last flush has seen */
};

struct hold {
	sem_t held;
	sem_t closed;
};

/* With a table of descriptors of its own, which goes when the thread does. */
static void *
hold(void *context)
{
	struct hold *h = context;

	/* As unshare(2) does, which many containers forbid. */
	(void)close_range(~0U, ~0U, CLOSE_RANGE_UNSHARE);
	(void)sem_post(&h->held);
	while (sem_wait(&h->closed) < 0)
		continue;
	return NULL;
}

/* Without a thread it may take its time: that is better than keeping them. */
static void
close_all(const int *fd, size_t count)
{
	struct hold h;
	pthread_t thread;
	bool held;

	if (count == 0)
		return;
	(void)sem_init(&h.held, /* pshared= */ 0, 0);
	(void)sem_init(&h.closed, /* pshared= */ 0, 0);
	held = thread_start(hold, &h, THREAD_STACK, &thread);
	while (held && sem_wait(&h.held) < 0)
		continue;
	for (size_t i = 0; i < count; i++)
		(void)close(fd[i]);
	(void)sem_post(&h.closed);
	if (held)
		(void)pthread_join(thread, NULL);
	(void)sem_destroy(&h.held);
	(void)sem_destroy(&h.closed);
}

/* The oldest of them. */
static void
close_oldest(struct discard *discard, size_t count)
{
	close_all(discard->fd, count);
	discard->count -= count;
	discard->flushed -= count < discard->flushed ? count : discard->flushed;
	memmove(discard->fd, discard->fd + count,
	    discard->count * sizeof(discard->fd[0]));
}

enum sbx_err
discard_new(struct discard **ret)
{
	struct discard *discard = calloc(1, sizeof(*discard));

	if (discard == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_init(&discard->mutex, NULL);
	*ret = discard;
	return SBX_OK;
}

void
discard_free(struct discard *discard)
{
	if (discard == NULL)
		return;
	close_oldest(discard, discard->count);
	(void)pthread_mutex_destroy(&discard->mutex);
	free(discard);
}

void
discard_put(struct discard *discard, int fd)
{
	(void)pthread_mutex_lock(&discard->mutex);
	if (discard->count == KEPT)
		close_oldest(discard, KEPT / 2);
	discard->fd[discard->count++] = fd;
	(void)pthread_mutex_unlock(&discard->mutex);
}

void
discard_flush(struct discard *discard)
{
	(void)pthread_mutex_lock(&discard->mutex);
	close_oldest(discard, discard->flushed);
	discard->flushed = discard->count;
	(void)pthread_mutex_unlock(&discard->mutex);
}
