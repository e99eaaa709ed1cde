/* SPDX-License-Identifier: ISC */
#include "broker/life/reaper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/helper/provider_call.h"
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

/*
 * What is forgotten cannot come back: so long must a clock have run without
 * a jump before it is believed.
 */
#define STEADY 3600
#define JUMP 60

#define PAGE 256
#define DELAY_FIRST 10 /* seconds; doubled each time */
#define THREAD_STACK (256 * 1024)

#define SWEEP_INTERVAL 600
#define WORKERS_MAX 8

enum phase {
	PHASE_QUIT,
	PHASE_STOP,
	PHASE_REMOVE,
	PHASE_LOOK,
	PHASE_SWEEP,
	PHASES
};

/*
 * How many do it, and how many of them are kept for people for whom none is
 * at work: whoever has many that resist holds up nobody else's.
 */
static const struct {
	unsigned workers, kept;
} staff[PHASES] = {
	[PHASE_QUIT] = { 2, 1 },
	[PHASE_STOP] = { WORKERS_MAX, 2 },
	[PHASE_REMOVE] = { 3, 1 },
	[PHASE_LOOK] = { 2, 1 },
	[PHASE_SWEEP] = { 1, 0 },
};

/* A sandbox past its end; to sweep is one without a name, which stays. */
struct ended {
	struct ended *next;
	char id[NAME_ID_MAX + 1];
	char person[STORE_OWNER_MAX + 1];
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
	struct ended *at_work[PHASES][WORKERS_MAX]; /* each worker's; or NULL */
	unsigned workers;
	bool closed;
	uint64_t start;	       /* reaper_round's: Unix time when ticks were 0 */
	uint64_t steady_since; /* ticks, and 1; 0: nothing is known yet */
};

struct worker {
	struct reaper *reaper;
	enum phase phase;
	unsigned place; /* in at_work */
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

static enum sbx_err
take_note(struct reaper *r, const struct store_end *end, enum phase phase)
{
	struct ended *ended = find(r, end->id);

	/* One that has ended need not be looked after. */
	if (ended != NULL && ended->phase == PHASE_LOOK && !ended->busy &&
	    phase == PHASE_QUIT) {
		ended->phase = phase;
		ended->due = clock_plus(0).tv_sec;
	}
	if (ended != NULL)
		return SBX_OK;
	ended = calloc(1, sizeof(*ended));
	if (ended == NULL)
		return SBX_NOMEM;
	memcpy(ended->id, end->id, sizeof(ended->id));
	memcpy(ended->person, end->person, sizeof(ended->person));
	ended->phase = phase;
	ended->due = clock_plus(0).tv_sec;
	ended->next = r->first;
	r->first = ended;
	return SBX_OK;
}

/* How many are at work, for this person, or for all (NULL). */
static unsigned
count_at_work(const struct reaper *r, enum phase phase, const char *person)
{
	unsigned count = 0;

	for (unsigned i = 0; i < staff[phase].workers; i++) {
		const struct ended *e = r->at_work[phase][i];

		count += e != NULL &&
		    (person == NULL || strcmp(e->person, person) == 0);
	}
	return count;
}

/*
 * Of those that are due one whose person has the fewest at work, then the one
 * that has failed least, then longest due.  NULL: there is none before
 * *ret_next (0: none at all), unless something changes.
 */
static struct ended *
choose(const struct reaper *r, enum phase phase, time_t *ret_next)
{
	unsigned idle =
	    staff[phase].workers - count_at_work(r, phase, /* person= */ NULL);
	time_t now = clock_plus(0).tv_sec;
	struct ended *best = NULL;
	unsigned least = 0;

	*ret_next = 0;
	for (struct ended *e = r->first; e != NULL; e = e->next) {
		unsigned theirs;

		/* All are asked to end before anything is cleaned up. */
		if (e->phase == PHASE_QUIT && phase != PHASE_QUIT && !e->busy &&
		    e->due <= now)
			return NULL;
		if (e->busy || e->phase != phase)
			continue;
		if (e->due > now) {
			if (*ret_next == 0 || e->due < *ret_next)
				*ret_next = e->due;
			continue;
		}
		theirs = count_at_work(r, phase, e->person);
		if (theirs > 0 && idle <= staff[phase].kept)
			continue;
		if (best == NULL || theirs < least ||
		    (theirs == least &&
			(e->failures < best->failures ||
			    (e->failures == best->failures &&
				e->due < best->due)))) {
			best = e;
			least = theirs;
		}
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
	bool sweep = ended->phase == PHASE_SWEEP;
	unsigned rest = 0, delay = 0;

	ended->busy = false;
	(void)pthread_cond_broadcast(&r->changed);
	if (sweep && err == SBX_OK) {
		ended->failures = 0;
		rest = SWEEP_INTERVAL;
	} else if (err == SBX_STATE) {
		rest = 1; /* somebody is at work on it */
	} else if (sweep && err == SBX_UNAVAILABLE) {
		rest = REAPER_INTERVAL; /* there is more of it */
	} else if (ended->phase == PHASE_QUIT && err != SBX_NOT_FOUND) {
		ended->phase = PHASE_STOP;
	} else if (ended->phase == PHASE_STOP && err != SBX_NOT_FOUND) {
		/* A removal kills what a stop could not. */
		ended->phase = PHASE_REMOVE;
	} else if (ended->phase == PHASE_LOOK ||
	    (!sweep && (err == SBX_OK || err == SBX_NOT_FOUND))) {
		drop(r, ended);
		return 0;
	} else {
		rest = delay = delay_after(++ended->failures);
	}
	ended->due = clock_plus(rest).tv_sec;
	return delay;
}

static void
work_on(struct reaper *r, const struct worker *worker, struct ended *ended)
{
	reaper_step *const steps[] = {
		[PHASE_STOP] = r->steps.stop,
		[PHASE_REMOVE] = r->steps.remove,
		[PHASE_LOOK] = r->steps.look,
		[PHASE_SWEEP] = r->steps.sweep,
	};
	struct sbx_why why = { "" };
	char id[NAME_ID_MAX + 1];
	enum sbx_err err;
	unsigned delay;

	memcpy(id, ended->id, sizeof(id));
	ended->busy = true;
	r->at_work[worker->phase][worker->place] = ended;
	(void)pthread_mutex_unlock(&r->mutex);
	err = steps[worker->phase](r->broker, id, &why);
	(void)pthread_mutex_lock(&r->mutex);
	r->at_work[worker->phase][worker->place] = NULL;
	delay = settle(r, ended, err);
	if (delay > 0)
		r->steps.observer(id, delay, err, &why);
}

/* This one, and others that are due. */
static void
quit_several(struct reaper *r, const struct worker *worker, struct ended *ended)
{
	struct ended *batch[PROVIDER_BATCH];
	const char *ids[PROVIDER_BATCH];
	char id[PROVIDER_BATCH][NAME_ID_MAX + 1];
	enum sbx_err err[PROVIDER_BATCH];
	size_t count = 0;
	time_t next;

	r->at_work[worker->phase][worker->place] = ended;
	while (ended != NULL) {
		ended->busy = true;
		memcpy(id[count], ended->id, sizeof(id[count]));
		ids[count] = id[count];
		batch[count++] = ended;
		ended = count < PROVIDER_BATCH ? choose(r, PHASE_QUIT, &next)
					       : NULL;
	}
	(void)pthread_mutex_unlock(&r->mutex);
	r->steps.quit(r->broker, ids, count, err);
	(void)pthread_mutex_lock(&r->mutex);
	r->at_work[worker->phase][worker->place] = NULL;
	for (size_t i = 0; i < count; i++)
		(void)settle(r, batch[i], err[i]);
}

static void *
worker_main(void *argument)
{
	struct worker worker = *(struct worker *)argument;
	struct reaper *r = worker.reaper;

	free(argument);
	(void)pthread_mutex_lock(&r->mutex);
	while (!r->closed) {
		struct timespec when = { 0 };
		struct ended *ended = choose(r, worker.phase, &when.tv_sec);

		if (ended != NULL && worker.phase == PHASE_QUIT)
			quit_several(r, &worker, ended);
		else if (ended != NULL)
			work_on(r, &worker, ended);
		else if (when.tv_sec == 0)
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
run_worker(struct reaper *r, enum phase phase, unsigned place)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	bool ok;

	if (worker == NULL)
		return SBX_NOMEM;
	*worker = (struct worker){ r, phase, place };
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
	if (steps->sweep != NULL)
		err = take_note(r, &(struct store_end){ "", "" }, PHASE_SWEEP);
	for (int phase = 0; phase < PHASES; phase++) {
		for (unsigned i = 0; i < staff[phase].workers && err == SBX_OK;
		     i++)
			err = run_worker(r, (enum phase)phase, i);
	}
	if (err == SBX_OK)
		*ret = r;
	else if (!reaper_end(r, 1))
		return err; /* its threads still have it */
	return err;
}

typedef enum sbx_err list_ends(struct store *store, const struct moment *now,
    const char *after, size_t limit, struct store_end **ret, size_t *ret_count,
    struct sbx_why *why);

/* All that have ended, not only the oldest: these may be who resists. */
static enum sbx_err
look(struct reaper *r, list_ends *list, enum phase phase,
    const struct moment *now, struct sbx_why *why)
{
	char after[NAME_ID_MAX + 1] = "";
	enum sbx_err err = SBX_OK;
	size_t count = PAGE;

	while (err == SBX_OK && count == PAGE) {
		cleanup_free struct store_end *ends = NULL;

		err = list(
		    r->broker->store, now, after, PAGE, &ends, &count, why);
		if (err != SBX_OK)
			break;
		(void)pthread_mutex_lock(&r->mutex);
		for (size_t i = 0; i < count && err == SBX_OK; i++)
			err = take_note(r, &ends[i], phase);
		if (count > 0)
			(void)pthread_cond_broadcast(&r->changed);
		(void)pthread_mutex_unlock(&r->mutex);
		if (count > 0)
			memcpy(after, ends[count - 1].id, sizeof(after));
	}
	return err;
}

/* Has Unix time gone along with the ticks for long enough? */
static bool
is_steady(struct reaper *r, const struct moment *now)
{
	uint64_t start = now->now - now->ticks; /* of the boot, mod 2^64 */
	uint64_t off = start - r->start + JUMP;

	if (r->steady_since == 0 || off > 2 * JUMP) {
		r->start = start;
		r->steady_since = now->ticks + 1;
	}
	return now->ticks + 1 - r->steady_since >= STEADY;
}

/* In small pieces, since others wait for the store meanwhile. */
static enum sbx_err
prune_events(struct reaper *r, uint64_t now, struct sbx_why *why)
{
	uint64_t age = r->broker->settings->max_event_age;
	enum sbx_err err = SBX_OK;
	bool more = now > age;

	while (err == SBX_OK && more)
		err =
		    store_prune_events(r->broker->store, now - age, &more, why);
	return err;
}

enum sbx_err
reaper_round(struct reaper *r, struct sbx_why *why)
{
	const struct moment now = { r->broker->now(), r->broker->ticks() };
	enum sbx_err err = look(r, store_expired, PHASE_QUIT, &now, why);

	if (err == SBX_OK && r->steps.look != NULL)
		err = look(r, store_due, PHASE_LOOK, &now, why);

	if (err != SBX_OK || !is_steady(r, &now) || now.now < KEEP)
		return err;
	err = store_prune(r->broker->store, now.now - KEEP, why);
	return err != SBX_OK ? err : prune_events(r, now.now, why);
}

uint64_t
reaper_next(struct reaper *r)
{
	const struct moment now = { r->broker->now(), r->broker->ticks() };
	uint64_t seconds = REAPER_INTERVAL;

	if (store_next(r->broker->store, &now, &seconds, NULL) != SBX_OK ||
	    seconds > REAPER_INTERVAL)
		return REAPER_INTERVAL;
	return seconds;
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
