/* SPDX-License-Identifier: ISC */
/*
 * What costs as much for many as for one, done for all who want it at the
 * same time: whoever comes while it is being done waits, and is part of the
 * next go.  One of those who wait does it for the others, so there is no
 * thread for it, and nobody who is alone waits for company.
 */
#ifndef SBX_BROKER_GATHER_H
#define SBX_BROKER_GATHER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

/* One caller's part: the first member of what it wants done. */
struct gather_part {
	struct gather_part *next;
	sem_t wake;
	bool done;
};

struct gather {
	pthread_mutex_t mutex;
	struct gather_part *first, **end;
	bool busy;
};

void gather_init(struct gather *gather);
void gather_destroy(struct gather *gather); /* when nobody uses it */

/* All of the list, whose parts say what came of each. */
typedef void gather_work(void *context, struct gather_part *first);

/* Returns when work has been done for this part, by whomever. */
void gather_do(struct gather *gather, struct gather_part *part,
    gather_work *work, void *context);

#endif
