/* SPDX-License-Identifier: ISC */
#include "broker/life/turns.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/thread.h"

#define START_STACK (256 * 1024)

/* Somebody is at work on this id. */
struct turn {
	struct turn *next;
	unsigned sharers; /* 0: one has it alone */
	bool wanted;	  /* while it is shared, by one who wants it alone */
	char id[NAME_ID_MAX + 1];
};

/* A start under way, or over and not yet seen by all who wait. */
struct start {
	struct start *next;
	struct turns *turns;
	start_job *job;
	void *context;
	char id[NAME_ID_MAX + 1];
	struct starter starter;
	unsigned refs; /* who waits, and its thread */
	bool done;
	enum sbx_err err;
	struct sbx_why why;
};

/* A creation under way. */
struct making {
	struct making *next;
	uid_t person;
};

/* Few are under way at once, so lists do. */
struct turns {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct turn *taken;
	struct start *starts;
	struct making *made;
	bool closed;
};

enum sbx_err
turns_new(struct turns **ret)
{
	struct turns *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (t == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_init(&t->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	*ret = t;
	return SBX_OK;
}

void
turns_free(struct turns *t)
{
	if (t == NULL)
		return;
	(void)pthread_cond_destroy(&t->changed);
	(void)pthread_mutex_destroy(&t->mutex);
	free(t);
}

static struct timespec
deadline_in(unsigned seconds)
{
	struct timespec when = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += (time_t)seconds;
	return when;
}

/* Under the mutex; false when the deadline has passed. */
static bool
wait_for_change(struct turns *t, const struct timespec *deadline)
{
	return pthread_cond_timedwait(&t->changed, &t->mutex, deadline) !=
	    ETIMEDOUT;
}

static enum sbx_err
stopping(struct sbx_why *why)
{
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "sandboxd is stopping: try again when it runs");
}

static enum sbx_err
out_of_memory(struct sbx_why *why)
{
	return sbx_fail(why, SBX_NOMEM, "sandboxd is out of memory");
}

void
turns_close(struct turns *t)
{
	(void)pthread_mutex_lock(&t->mutex);
	t->closed = true;
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->mutex);
}

bool
turns_drain(struct turns *t, unsigned seconds)
{
	struct timespec deadline = deadline_in(seconds);
	bool empty;

	(void)pthread_mutex_lock(&t->mutex);
	while (t->starts != NULL && wait_for_change(t, &deadline))
		;
	empty = t->starts == NULL;
	(void)pthread_mutex_unlock(&t->mutex);
	return empty;
}

/*
 * Turns.
 */

static struct turn *
find_turn(const struct turns *t, const char *id)
{
	struct turn *turn = t->taken;

	while (turn != NULL && strcmp(turn->id, id) != 0)
		turn = turn->next;
	return turn;
}

static bool
mark_taken(struct turns *t, const char *id, unsigned sharers)
{
	struct turn *turn = calloc(1, sizeof(*turn));

	if (turn == NULL)
		return false;
	(void)snprintf(turn->id, sizeof(turn->id), "%s", id);
	turn->sharers = sharers;
	turn->next = t->taken;
	t->taken = turn;
	return true;
}

/* Can it be had now, alone or with others? */
static bool
is_to_be_had(struct turns *t, const char *id, bool share)
{
	struct turn *turn = find_turn(t, id);

	if (turn == NULL)
		return true;
	if (share)
		return turn->sharers > 0 && !turn->wanted;
	turn->wanted = true;
	return false;
}

/* One that is to be had; false: no memory for it. */
static bool
have(struct turns *t, const char *id, bool share)
{
	struct turn *turn = find_turn(t, id);

	if (turn == NULL)
		return mark_taken(t, id, share);
	turn->sharers++;
	return true;
}

static enum sbx_err
take(struct turns *t, const char *id, bool share, struct sbx_why *why)
{
	struct timespec deadline = deadline_in(TURN_WAIT);
	enum sbx_err err = SBX_OK;

	(void)pthread_mutex_lock(&t->mutex);
	while (err == SBX_OK && !t->closed && !is_to_be_had(t, id, share)) {
		if (!wait_for_change(t, &deadline))
			err = sbx_fail(why, SBX_TIMEOUT,
			    "another operation on '%s' does not end", id);
	}
	if (err == SBX_OK && t->closed)
		err = stopping(why);
	if (err == SBX_OK && !have(t, id, share))
		err = out_of_memory(why);
	(void)pthread_mutex_unlock(&t->mutex);
	return err;
}

enum sbx_err
turn_take(struct turns *t, const char *id, struct sbx_why *why)
{
	return take(t, id, /* share= */ false, why);
}

enum sbx_err
turn_share(struct turns *t, const char *id, struct sbx_why *why)
{
	return take(t, id, /* share= */ true, why);
}

bool
turn_try_share(struct turns *t, const char *id)
{
	bool got;

	(void)pthread_mutex_lock(&t->mutex);
	got = !t->closed && is_to_be_had(t, id, /* share= */ true) &&
	    have(t, id, /* share= */ true);
	(void)pthread_mutex_unlock(&t->mutex);
	return got;
}

bool
turn_try(struct turns *t, const char *id)
{
	struct timespec deadline = deadline_in(TURN_WAIT);
	struct turn *turn;
	bool got;

	(void)pthread_mutex_lock(&t->mutex);
	while (!t->closed && (turn = find_turn(t, id)) != NULL &&
	    turn->sharers > 0) {
		turn->wanted = true;
		if (!wait_for_change(t, &deadline))
			break;
	}
	got = !t->closed && find_turn(t, id) == NULL &&
	    have(t, id, /* share= */ false);
	(void)pthread_mutex_unlock(&t->mutex);
	return got;
}

/* Under the mutex. */
static void
forget_turn(struct turns *t, struct turn *turn)
{
	struct turn **at = &t->taken;

	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	free(turn);
	(void)pthread_cond_broadcast(&t->changed);
}

void
turn_give(struct turns *t, const char *id)
{
	struct turn *turn;

	(void)pthread_mutex_lock(&t->mutex);
	turn = find_turn(t, id);
	if (turn != NULL && turn->sharers > 1)
		turn->sharers--;
	else if (turn != NULL)
		forget_turn(t, turn);
	(void)pthread_mutex_unlock(&t->mutex);
}

/*
 * Starts.
 */

/* Under the mutex: the last one out forgets it. */
static void
leave(struct turns *t, struct start *start)
{
	if (--start->refs > 0)
		return;
	for (struct start **at = &t->starts; *at != NULL; at = &(*at)->next) {
		if (*at == start) {
			*at = start->next;
			break;
		}
	}
	free(start);
	(void)pthread_cond_broadcast(&t->changed);
}

static void *
run_start(void *argument)
{
	struct start *start = argument;
	struct turns *t = start->turns;
	struct sbx_why why = { "" };
	enum sbx_err err =
	    start->job(start->context, start->id, &start->starter, &why);

	(void)pthread_mutex_lock(&t->mutex);
	start->err = err;
	start->why = why;
	start->done = true;
	(void)pthread_cond_broadcast(&t->changed); /* to who joins or makes */
	leave(t, start);
	(void)pthread_mutex_unlock(&t->mutex);
	return NULL;
}

static struct start *
find_start(struct turns *t, const char *id)
{
	for (struct start *s = t->starts; s != NULL; s = s->next) {
		if (!s->done && strcmp(s->id, id) == 0)
			return s;
	}
	return NULL;
}

/* Under the mutex: may this person have one more? */
static bool
has_room(const struct turns *t, uid_t person)
{
	size_t count = 0;

	for (const struct making *m = t->made; m != NULL; m = m->next)
		count += m->person == person;
	for (const struct start *s = t->starts; s != NULL; s = s->next)
		count += !s->done && s->starter.person == person;
	return person == TURN_UNLIMITED || count < TURN_STARTS;
}

static struct start *
begin(struct turns *t, const char *id, const struct starter *starter,
    start_job *job, void *context)
{
	struct start *start = calloc(1, sizeof(*start));

	if (start == NULL)
		return NULL;
	*start = (struct start){ .turns = t,
		.job = job,
		.context = context,
		.starter = *starter,
		.refs = 1 };
	(void)snprintf(start->id, sizeof(start->id), "%s", id);
	if (!thread_start(run_start, start, START_STACK, /* ret= */ NULL)) {
		free(start);
		return NULL;
	}
	start->next = t->starts;
	t->starts = start;
	return start;
}

/* Under the mutex. */
static enum sbx_err
join(struct turns *t, struct start *start, unsigned seconds, bool *ret_done,
    struct sbx_why *why)
{
	struct timespec deadline = deadline_in(seconds);
	enum sbx_err err = SBX_OK;

	start->refs++;
	while (!start->done && !t->closed && wait_for_change(t, &deadline))
		;
	*ret_done = start->done;
	if (start->done) {
		err = start->err;
		if (err != SBX_OK && why != NULL)
			*why = start->why;
	} else if (t->closed)
		err = stopping(why);
	leave(t, start);
	return err;
}

/* Under the mutex: the one under way, or a new one. */
static enum sbx_err
find_or_begin(struct turns *t, const char *id, const struct starter *starter,
    start_job *job, void *context, struct start **ret, struct sbx_why *why)
{
	*ret = find_start(t, id);
	if (*ret != NULL)
		return SBX_OK;
	/* Each is processes and a thread, and nobody need wait for it. */
	if (!has_room(t, starter->person))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%d of your sandboxes are starting, the limit: try again "
		    "when one of them runs",
		    TURN_STARTS);
	*ret = begin(t, id, starter, job, context);
	return *ret == NULL ? out_of_memory(why) : SBX_OK;
}

enum sbx_err
turns_start(struct turns *t, const char *id, const struct starter *starter,
    unsigned seconds, start_job *job, void *context, bool *ret_done,
    struct sbx_why *why)
{
	struct start *start = NULL;
	enum sbx_err err = SBX_OK;

	*ret_done = false;
	(void)pthread_mutex_lock(&t->mutex);
	if (t->closed)
		err = stopping(why);
	if (err == SBX_OK)
		err = find_or_begin(t, id, starter, job, context, &start, why);
	if (err == SBX_OK)
		err = join(t, start, seconds, ret_done, why);
	(void)pthread_mutex_unlock(&t->mutex);
	return err;
}

enum sbx_err
turn_make(struct turns *t, uid_t person, struct sbx_why *why)
{
	struct timespec deadline = deadline_in(TURN_WAIT);
	struct making *making = calloc(1, sizeof(*making));
	enum sbx_err err = SBX_OK;

	if (making == NULL)
		return out_of_memory(why);
	(void)pthread_mutex_lock(&t->mutex);
	while (err == SBX_OK && !t->closed && !has_room(t, person)) {
		if (!wait_for_change(t, &deadline))
			err = sbx_fail(why, SBX_TIMEOUT,
			    "%d of your sandboxes are starting, and none comes "
			    "to its end",
			    TURN_STARTS);
	}
	if (err == SBX_OK && t->closed)
		err = stopping(why);
	if (err == SBX_OK) {
		*making = (struct making){ t->made, person };
		t->made = making;
	} else
		free(making);
	(void)pthread_mutex_unlock(&t->mutex);
	return err;
}

void
turn_made(struct turns *t, uid_t person)
{
	struct making **at = &t->made, *making;

	(void)pthread_mutex_lock(&t->mutex);
	while (*at != NULL && (*at)->person != person)
		at = &(*at)->next;
	making = *at;
	if (making != NULL)
		*at = making->next;
	free(making);
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->mutex);
}
