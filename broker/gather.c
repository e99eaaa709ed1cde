/* SPDX-License-Identifier: ISC */
#include "broker/gather.h"

#include <errno.h>
#include <stddef.h>

void
gather_init(struct gather *g)
{
	(void)pthread_mutex_init(&g->mutex, NULL);
	g->first = NULL;
	g->end = &g->first;
	g->busy = false;
}

void
gather_destroy(struct gather *g)
{
	(void)pthread_mutex_destroy(&g->mutex);
}

/* True: somebody is at it, and wakes whoever waits. */
static bool
join(struct gather *g, struct gather_part *part)
{
	bool busy;

	part->next = NULL;
	part->done = false;
	(void)pthread_mutex_lock(&g->mutex);
	*g->end = part;
	g->end = &part->next;
	busy = g->busy;
	g->busy = true;
	(void)pthread_mutex_unlock(&g->mutex);
	return busy;
}

static struct gather_part *
take_all(struct gather *g)
{
	struct gather_part *first;

	(void)pthread_mutex_lock(&g->mutex);
	first = g->first;
	g->first = NULL;
	g->end = &g->first;
	(void)pthread_mutex_unlock(&g->mutex);
	return first;
}

/* One of those who came meanwhile goes on, before the others are told. */
static void
hand_on(struct gather *g)
{
	struct gather_part *next;

	(void)pthread_mutex_lock(&g->mutex);
	next = g->first;
	g->busy = next != NULL;
	(void)pthread_mutex_unlock(&g->mutex);
	if (next != NULL)
		(void)sem_post(&next->wake);
}

/* Whoever is told is gone at once, and its part with it. */
static void
tell(struct gather_part *first, const struct gather_part *own)
{
	while (first != NULL) {
		struct gather_part *part = first;

		first = part->next;
		part->done = true;
		if (part != own)
			(void)sem_post(&part->wake);
	}
}

void
gather_do(struct gather *g, struct gather_part *part, gather_work *work,
    void *context)
{
	struct gather_part *all;

	(void)sem_init(&part->wake, /* pshared= */ 0, 0);
	if (join(g, part)) {
		while (sem_wait(&part->wake) < 0 && errno == EINTR)
			;
	}
	if (!part->done) {
		all = take_all(g);
		work(context, all);
		hand_on(g);
		tell(all, part);
	}
	(void)sem_destroy(&part->wake);
}
