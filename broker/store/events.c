/* SPDX-License-Identifier: ISC */
#include "broker/store/db.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Numbers that one call looks at: what one caller costs the others. */
#define SPAN 8192
/* Of those that are too old, at once. */
#define PRUNED 512
/* After so many of a person it is seen to it that there are not too many. */
#define TRIMMED 64

static const char *const names[] = {
#define EVENT_NAME(value, name) name,
	EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

const char *
event_name(enum event_kind kind)
{
	return names[kind];
}

static bool
find_kind(const char *name, enum event_kind *ret)
{
	for (int i = 0; i < EVENT_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum event_kind)i;
			return true;
		}
	}
	return false;
}

/*
 * Writing.
 */

enum sbx_err
db_add_event(struct store *store, struct event *e, struct sbx_why *why)
{
	uint64_t nth = 0;
	sqlite3_stmt *st;
	enum sbx_err err;

	if (e == NULL)
		return SBX_OK;
	e->number = 0;
	st = db_bound(store, ST_ADD_EVENT, NULL);

	db_bind_u64(st, 1, e->time);
	db_bind_text(st, 2, event_name(e->kind));
	db_bind_text(st, 3, e->id);
	db_bind_u64(st, 4, e->incarnation);
	db_bind_text(st, 5, e->owner);
	db_bind_text(st, 6, e->person);
	db_bind_text(st, 7, e->cause);
	db_bind_text(st, 8, e->by);
	db_bind_text(st, 9, e->detail);
	err = db_number(store, st, 0, &nth, why);
	if (err != SBX_OK)
		return err;
	e->number = (uint64_t)sqlite3_last_insert_rowid(store->db);
	if (nth % TRIMMED != 0 || nth <= store->events_max)
		return SBX_OK;
	st = db_bound(store, ST_TRIM_EVENTS, e->person);
	db_bind_u64(st, 2, 2 * TRIMMED);
	db_bind_u64(st, 3, nth - store->events_max);
	return db_run(store, st, why);
}

enum sbx_err
db_end_event(struct store *store, enum sbx_err err, struct event *event,
    struct sbx_why *why)
{
	if (err == SBX_OK)
		err = db_add_event(store, event, why);
	err = db_end(store, err, why);
	if (err != SBX_OK && event != NULL)
		event->number = 0;
	return err;
}

enum sbx_err
store_add_event(struct store *store, struct event *event, struct sbx_why *why)
{
	return db_end_event(store, db_begin(store, why), event, why);
}

void
store_set_events_max(struct store *store, uint64_t max)
{
	store->events_max = max;
}

/*
 * Reading.
 */

/* One of a kind that a later release knows is left out. */
static bool
read_row(sqlite3_stmt *st, struct event *ret)
{
	char kind[32];

	memset(ret, 0, sizeof(*ret));
	ret->number = (uint64_t)sqlite3_column_int64(st, 0);
	ret->time = (uint64_t)sqlite3_column_int64(st, 1);
	db_column_text(st, 2, kind, sizeof(kind));
	db_column_text(st, 3, ret->id, sizeof(ret->id));
	ret->incarnation = (uint64_t)sqlite3_column_int64(st, 4);
	db_column_text(st, 5, ret->owner, sizeof(ret->owner));
	db_column_text(st, 6, ret->person, sizeof(ret->person));
	db_column_text(st, 7, ret->cause, sizeof(ret->cause));
	db_column_text(st, 8, ret->by, sizeof(ret->by));
	db_column_text(st, 9, ret->detail, sizeof(ret->detail));
	return find_kind(kind, &ret->kind);
}

static enum sbx_err
end_of(struct store *store, enum statement which, uint64_t *ret,
    struct sbx_why *why)
{
	return db_number(store, db_bound(store, which, NULL), 0, ret, why);
}

/* Where to begin, and what of it is looked at now. */
static enum sbx_err
find_span(struct store *store, uint64_t *after, uint64_t *ret_next,
    uint64_t *ret_last, struct sbx_why *why)
{
	uint64_t first = 0;
	enum sbx_err err = end_of(store, ST_EVENTS_FIRST, &first, why);

	if (err == SBX_OK)
		err = end_of(store, ST_EVENTS_LAST, ret_last, why);
	/* A database that was put back has not had that number yet. */
	if (*after > *ret_last)
		*after = *ret_last;
	if (first > 0 && *after < first - 1)
		*after = first - 1;
	*ret_next = *ret_last - *after > SPAN ? *after + SPAN : *ret_last;
	return err;
}

static enum sbx_err
read_span(struct store *store, uint64_t after, uint64_t *next, const char *id,
    struct event *rows, size_t *ret_count, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_EVENTS, NULL);
	enum sbx_err err = SBX_OK;
	size_t seen = 0, count = 0;
	int code = SQLITE_DONE;

	db_bind_u64(st, 1, after);
	db_bind_u64(st, 2, *next);
	db_bind_text(st, 3, id);
	db_bind_u64(st, 4, STORE_EVENTS_PAGE);
	while (seen < STORE_EVENTS_PAGE &&
	    (code = sqlite3_step(st)) == SQLITE_ROW) {
		count += read_row(st, &rows[count]);
		if (++seen == STORE_EVENTS_PAGE)
			*next = (uint64_t)sqlite3_column_int64(st, 0);
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		err = db_fail(store, why);
	(void)sqlite3_reset(st);
	*ret_count = count;
	return err;
}

enum sbx_err
store_events(struct store *store, uint64_t after, const char *id,
    struct event **ret, size_t *ret_count, uint64_t *ret_next,
    uint64_t *ret_last, struct sbx_why *why)
{
	cleanup_free struct event *rows =
	    calloc(STORE_EVENTS_PAGE, sizeof(*rows));
	enum sbx_err err;

	if (rows == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_lock(&store->mutex);
	err = find_span(store, &after, ret_next, ret_last, why);
	if (err == SBX_OK)
		err =
		    read_span(store, after, ret_next, id, rows, ret_count, why);
	(void)pthread_mutex_unlock(&store->mutex);
	if (err == SBX_OK)
		*ret = steal_ptr(&rows);
	return err;
}

/*
 * Forgetting.
 */

/* Of those with lower numbers. */
static sqlite3_stmt *
older(
    struct store *store, enum statement which, uint64_t before, uint64_t number)
{
	sqlite3_stmt *st = db_bound(store, which, NULL);

	db_bind_u64(st, 1, before);
	db_bind_u64(st, 2, number);
	return st;
}

enum sbx_err
store_prune_events(
    struct store *store, uint64_t before, bool *ret_more, struct sbx_why *why)
{
	uint64_t first = 0, last = 0, end, old = 0;
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	err = end_of(store, ST_EVENTS_FIRST, &first, why);
	if (err == SBX_OK)
		err = end_of(store, ST_EVENTS_LAST, &last, why);
	end = last - first > PRUNED ? first + PRUNED : last;
	if (err == SBX_OK)
		err = db_number(store, older(store, ST_EVENTS_OLD, before, end),
		    0, &old, why);
	if (err == SBX_OK && old > 0)
		err = db_run(
		    store, older(store, ST_PRUNE_EVENTS, before, end), why);
	(void)pthread_mutex_unlock(&store->mutex);
	*ret_more = err == SBX_OK && old > 0 && end < last;
	return err;
}
