/* SPDX-License-Identifier: ISC */
#include "broker/life/reaper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/thread.h"
#include "certs/check.h"
#include "common/cleanup.h"

/*
 * How long a certificate is kept after its end.  A floor (see store.h) is
 * older than the end of every certificate it guards against by at most one
 * certificate's life, which this is well above.
 */
#define KEEP (7 * 86400)

_Static_assert(KEEP > 2 * CHECK_TTL_MAX, "floors must outlive certificates");

#define PAGE 256
#define DELAY_FIRST 10 /* seconds; doubled each time */
#define THREAD_STACK (256 * 1024)

enum phase { PHASE_STOP, PHASE_REMOVE, PHASES };

static const unsigned workers_of[PHASES] = { 4, 2 };

/* A sandbox past its end. */
struct ended {
	struct ended *next;
	char id[NAME_ID_MAX + 1];
	enum phase phase;
	bool busy;
	unsigned failures;
	time_t due; /* CLOCK_MONOTONIC */
};

struct reaper {
	struct broker *broker;
	struct reaper_steps steps;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct ended *first;
	unsigned workers;
	bool closed;
};

struct worker {
	struct reaper *reaper;
	enum phase phase;
};

static struct timespec
clock_plus(unsigned seconds)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	now.tv_sec += (time_t)seconds;
	return now;
}

/*
 * Under the mutex.
 */

static struct ended *
find(struct reaper *r, const char *id)
{
	for (struct ended *e = r->first; e != NULL; e = e->next) {
		if (strcmp(e->id, id) == 0)
			return e;
	}
	return NULL;
}

static void
drop(struct reaper *r, struct ended *ended)
{
	for (struct ended **at = &r->first; *at != NULL; at = &(*at)->next) {
		if (*at == ended) {
			*at = ended->next;
			break;
		}
	}
	free(ended);
}

/* Of those that are due the one that has failed least, then longest due. */
static struct ended *
choose(const struct reaper *r, enum phase phase)
{
	time_t now = clock_plus(0).tv_sec;
	struct ended *best = NULL;

	for (struct ended *e = r->first; e != NULL; e = e->next) {
		if (e->busy || e->phase != phase || e->due > now)
			continue;
		if (best == NULL || e->failures < best->failures ||
		    (e->failures == best->failures && e->due < best->due))
			best = e;
	}
	return best;
}

static unsigned
delay_after(unsigned failures)
{
	unsigned delay = DELAY_FIRST;

	while (--failures > 0 && delay < REAPER_DELAY_MAX)
		delay *= 2;
	return delay < REAPER_DELAY_MAX ? delay : REAPER_DELAY_MAX;
}

/* What the result means for it; the seconds until it is tried again, or 0. */
static unsigned
settle(struct reaper *r, struct ended *ended, enum sbx_err err)
{
	unsigned delay = 0;

	ended->busy = false;
	if (err == SBX_STATE) {
		/* Somebody is at work on it. */
		ended->due = clock_plus(REAPER_INTERVAL).tv_sec;
	} else if (ended->phase == PHASE_STOP && err != SBX_NOT_FOUND) {
		/* A removal kills what a stop could not. */
		ended->phase = PHASE_REMOVE;
		ended->due = clock_plus(0).tv_sec;
	} else if (err == SBX_OK || err == SBX_NOT_FOUND) {
		drop(r, ended);
	} else {
		delay = delay_after(++ended->failures);
		ended->due = clock_plus(delay).tv_sec;
	}
	(void)pthread_cond_broadcast(&r->changed);
	return delay;
}

static void
work_on(struct reaper *r, struct ended *ended)
{
	reaper_step *step =
	    ended->phase == PHASE_STOP ? r->steps.stop : r->steps.remove;
	struct sbx_why why = { "" };
	char id[NAME_ID_MAX + 1];
	enum sbx_err err;
	unsigned delay;

	memcpy(id, ended->id, sizeof(id));
	ended->busy = true;
	(void)pthread_mutex_unlock(&r->mutex);
	err = step(r->broker, id, &why);
	(void)pthread_mutex_lock(&r->mutex);
	delay = settle(r, ended, err);
	if (delay > 0)
		r->steps.observer(id, delay, err, &why);
}

static void *
worker_main(void *argument)
{
	struct worker *worker = argument;
	struct reaper *r = worker->reaper;
	enum phase phase = worker->phase;

	free(worker);
	(void)pthread_mutex_lock(&r->mutex);
	while (!r->closed) {
		struct ended *ended = choose(r, phase);
		struct timespec when = clock_plus(1);

		if (ended != NULL)
			work_on(r, ended);
		else if (r->first == NULL)
			(void)pthread_cond_wait(&r->changed, &r->mutex);
		else
			(void)pthread_cond_timedwait(
			    &r->changed, &r->mutex, &when);
	}
	r->workers--;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->mutex);
	return NULL;
}

static enum sbx_err
run_worker(struct reaper *r, enum phase phase)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	bool ok;

	if (worker == NULL)
		return SBX_NOMEM;
	*worker = (struct worker){ r, phase };
	(void)pthread_mutex_lock(&r->mutex);
	ok = thread_start(worker_main, worker, THREAD_STACK, /* ret= */ NULL);
	if (ok)
		r->workers++;
	(void)pthread_mutex_unlock(&r->mutex);
	if (ok)
		return SBX_OK;
	free(worker);
	return SBX_NOMEM;
}

enum sbx_err
reaper_new(struct broker *broker, const struct reaper_steps *steps,
    struct reaper **ret)
{
	struct reaper *r = calloc(1, sizeof(*r));
	enum sbx_err err = SBX_OK;
	pthread_condattr_t attr;

	if (r == NULL)
		return SBX_NOMEM;
	r->broker = broker;
	r->steps = *steps;
	(void)pthread_mutex_init(&r->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	for (int phase = 0; phase < PHASES; phase++) {
		for (unsigned i = 0; i < workers_of[phase] && err == SBX_OK;
		     i++)
			err = run_worker(r, (enum phase)phase);
	}
	if (err == SBX_OK)
		*ret = r;
	else if (!reaper_end(r, 1))
		return err; /* its threads still have it */
	return err;
}

static enum sbx_err
take_note(struct reaper *r, const char *id)
{
	struct ended *ended;

	if (find(r, id) != NULL)
		return SBX_OK;
	ended = calloc(1, sizeof(*ended));
	if (ended == NULL)
		return SBX_NOMEM;
	memcpy(ended->id, id, sizeof(ended->id));
	ended->due = clock_plus(0).tv_sec;
	ended->next = r->first;
	r->first = ended;
	return SBX_OK;
}

/* All that have ended, not only the oldest: these may be who resists. */
static enum sbx_err
look(struct reaper *r, uint64_t now, struct sbx_why *why)
{
	char after[NAME_ID_MAX + 1] = "";
	enum sbx_err err = SBX_OK;
	size_t count = PAGE;

	while (err == SBX_OK && count == PAGE) {
		cleanup_free char(*ids)[NAME_ID_MAX + 1] = NULL;

		err = store_expired(
		    r->broker->store, now, after, PAGE, &ids, &count, why);
		if (err != SBX_OK)
			break;
		(void)pthread_mutex_lock(&r->mutex);
		for (size_t i = 0; i < count && err == SBX_OK; i++)
			err = take_note(r, ids[i]);
		(void)pthread_cond_broadcast(&r->changed);
		(void)pthread_mutex_unlock(&r->mutex);
		if (count > 0)
			memcpy(after, ids[count - 1], sizeof(after));
	}
	return err;
}

enum sbx_err
reaper_round(struct reaper *r, struct sbx_why *why)
{
	uint64_t now = r->broker->now();
	enum sbx_err err = look(r, now, why);

	if (err != SBX_OK || now < KEEP)
		return err;
	return store_prune(r->broker->store, now - KEEP, why);
}

bool
reaper_end(struct reaper *r, unsigned seconds)
{
	struct timespec deadline = clock_plus(seconds);
	bool over;

	(void)pthread_mutex_lock(&r->mutex);
	r->closed = true;
	(void)pthread_cond_broadcast(&r->changed);
	while (r->workers > 0 &&
	    pthread_cond_timedwait(&r->changed, &r->mutex, &deadline) !=
		ETIMEDOUT)
		;
	over = r->workers == 0;
	(void)pthread_mutex_unlock(&r->mutex);
	if (!over)
		return false;
	while (r->first != NULL)
		drop(r, r->first);
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->mutex);
	free(r);
	return true;
}
