/* SPDX-License-Identifier: ISC */
#include "broker/life/known.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "broker/helper/provider_call.h"
#include "common/cleanup.h"

/*
 * Incarnations are random, so they say where in a table one belongs: in one of
 * a few places, where the last that came makes room.
 */
#define PLACES 4

/* Empty while the incarnation is 0. */
struct told {
	uint64_t incarnation;
	int watch_fd;
	struct buf access;
};

struct known {
	pthread_mutex_t mutex;
	size_t rows;
	size_t turn; /* whose place is taken next */
	struct told told[][PLACES];
};

enum sbx_err
known_new(size_t max, struct known **ret)
{
	size_t rows = max / PLACES;
	struct known *known =
	    calloc(1, sizeof(*known) + rows * sizeof(known->told[0]));

	if (known == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_init(&known->mutex, NULL);
	known->rows = rows;
	*ret = known;
	return SBX_OK;
}

static void
forget(struct told *told)
{
	if (told->incarnation == 0)
		return;
	(void)close(told->watch_fd);
	buf_free(&told->access);
	told->incarnation = 0;
}

void
known_free(struct known *known)
{
	if (known == NULL)
		return;
	for (size_t i = 0; i < known->rows; i++) {
		for (size_t j = 0; j < PLACES; j++)
			forget(&known->told[i][j]);
	}
	(void)pthread_mutex_destroy(&known->mutex);
	free(known);
}

/* Under the mutex: the place of it, or of nobody (incarnation 0), or NULL. */
static struct told *
find(struct known *known, uint64_t row, uint64_t incarnation)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct told *told = &known->told[row % known->rows][i];

		if (told->incarnation == incarnation)
			return told;
	}
	return NULL;
}

static bool
still_holds(int watch_fd)
{
	struct pollfd p = { .fd = watch_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* Those of old have no incarnation of their own. */
static bool
can_be_known(const struct known *known, const struct sandbox *s)
{
	return known->rows > 0 && s->incarnation != 0 &&
	    s->state == SANDBOX_RUNNING;
}

bool
known_recall(
    struct known *known, const struct sandbox *s, struct provider_access *ret)
{
	struct told *told;
	bool holds = false;

	if (!can_be_known(known, s))
		return false;
	(void)pthread_mutex_lock(&known->mutex);
	told = find(known, s->incarnation, s->incarnation);
	if (told != NULL && still_holds(told->watch_fd))
		holds = provider_access_read(buf_view(&told->access), ret) ==
		    SBX_OK;
	if (told != NULL && !holds)
		forget(told);
	(void)pthread_mutex_unlock(&known->mutex);
	return holds;
}

void
known_keep(struct known *known, const struct sandbox *s,
    const struct provider_access *access, int watch_fd)
{
	cleanup_close int watch = watch_fd;
	cleanup_buf struct buf bytes = BUF_INIT(sizeof(*access));
	struct told *told;

	provider_access_put(access, &bytes);
	if (watch < 0 || !can_be_known(known, s) || buf_error(&bytes) != SBX_OK)
		return;
	(void)pthread_mutex_lock(&known->mutex);
	told = find(known, s->incarnation, s->incarnation);
	if (told == NULL)
		told = find(known, s->incarnation, 0);
	if (told == NULL)
		told = &known->told[s->incarnation % known->rows]
				   [known->turn++ % PLACES];
	forget(told);
	*told = (struct told){ s->incarnation, steal_fd(&watch), bytes };
	bytes = BUF_INIT(0);
	(void)pthread_mutex_unlock(&known->mutex);
}
