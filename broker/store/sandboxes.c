/* SPDX-License-Identifier: ISC */
#include "broker/store/db.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const state_names[] = {
#define SANDBOX_STATE_NAME(value, name) name,
	SANDBOX_STATES(SANDBOX_STATE_NAME)
#undef SANDBOX_STATE_NAME
};

const char *
sandbox_state_name(enum sandbox_state state)
{
	return state_names[(unsigned)state < SANDBOX_STATE_COUNT
		? (size_t)state
		: SANDBOX_FAILED];
}

bool
sandbox_state_find(const char *name, enum sandbox_state *ret_state)
{
	for (int i = 0; i < SANDBOX_STATE_COUNT; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*ret_state = (enum sandbox_state)i;
			return true;
		}
	}
	return false;
}

static enum isolation
isolation_of(int stored)
{
	return stored > 0 && stored < ISOLATION_COUNT ? (enum isolation)stored
						      : ISOLATION_NONE;
}

static void
read_row(sqlite3_stmt *st, struct sandbox *ret)
{
	char state[32];

	memset(ret, 0, sizeof(*ret));
	db_column_text(st, 0, ret->id, sizeof(ret->id));
	db_column_text(st, 1, ret->provider, sizeof(ret->provider));
	db_column_text(st, 2, ret->owner, sizeof(ret->owner));
	db_column_text(st, 3, state, sizeof(state));
	if (!sandbox_state_find(state, &ret->state))
		ret->state = SANDBOX_FAILED;
	ret->isolation = isolation_of(sqlite3_column_int(st, 4));
	ret->created_at = (uint64_t)sqlite3_column_int64(st, 5);
	ret->expires_at = (uint64_t)sqlite3_column_int64(st, 6);
	ret->issued_after = (uint64_t)sqlite3_column_int64(st, 7);
	ret->incarnation = (uint64_t)sqlite3_column_int64(st, 8);
	ret->held = sqlite3_column_int(st, 9) != 0;
	db_column_text(st, 10, ret->person, sizeof(ret->person));
	ret->end_ticks = (uint64_t)sqlite3_column_int64(st, 11);
	ret->tied = sqlite3_column_int(st, 12) != 0;
	ret->refused_at = (uint64_t)sqlite3_column_int64(st, 13);
	ret->auto_stop = (uint64_t)sqlite3_column_int64(st, 14);
	ret->look_ticks = (uint64_t)sqlite3_column_int64(st, 15);
	ret->warned = (uint64_t)sqlite3_column_int64(st, 16);
}

static enum sbx_err
read_labels(struct store *store, struct sandbox *sandbox, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_LABELS, sandbox->id);
	enum sbx_err err = SBX_OK;
	int code;

	while ((code = sqlite3_step(st)) == SQLITE_ROW &&
	    sandbox->label_count < STORE_LABELS_MAX) {
		struct label *l = &sandbox->label[sandbox->label_count++];

		db_column_text(st, 0, l->key, sizeof(l->key));
		db_column_text(st, 1, l->value, sizeof(l->value));
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		err = db_fail(store, why);
	(void)sqlite3_reset(st);
	return err;
}

static enum sbx_err
get(struct store *store, const char *id, struct sandbox *ret,
    struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_GET, id);
	int code = sqlite3_step(st);
	enum sbx_err err = SBX_OK;

	if (code == SQLITE_ROW)
		read_row(st, ret);
	else if (code == SQLITE_DONE)
		err = sbx_fail(
		    why, SBX_NOT_FOUND, "there is no sandbox '%s'", id);
	else
		err = db_fail(store, why);
	/* All of it is read at once, as long as this goes on. */
	if (err == SBX_OK)
		err = read_labels(store, ret, why);
	(void)sqlite3_reset(st);
	return err;
}

enum sbx_err
store_get(struct store *store, const char *id, struct sandbox *ret,
    struct sbx_why *why)
{
	struct store *reader = store->reader;
	enum sbx_err err;

	(void)pthread_mutex_lock(&reader->mutex);
	err = get(reader, id, ret, why);
	(void)pthread_mutex_unlock(&reader->mutex);
	return err;
}

enum sbx_err
store_taken(const struct sandbox *there, const char *owner, struct sbx_why *why)
{
	if (there->state == SANDBOX_DELETING)
		return sbx_fail(why, SBX_EXISTS,
		    "an earlier sandbox '%s' is still being removed: try again "
		    "later, or choose another id",
		    there->id);
	if (strcmp(there->owner, owner) != 0)
		return sbx_fail(why, SBX_EXISTS,
		    "'%s' is taken by another user: choose another id",
		    there->id);
	return sbx_fail(
	    why, SBX_EXISTS, "sandbox '%s' already exists", there->id);
}

static enum sbx_err
taken(struct store *store, const struct sandbox *s, struct sbx_why *why)
{
	struct sandbox other = { .owner = "" };
	enum sbx_err err = get(store, s->id, &other, why);

	return err != SBX_OK ? err : store_taken(&other, s->owner, why);
}

static enum sbx_err
insert(struct store *store, const struct sandbox *s, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_ADD, s->id);
	enum sbx_err err;

	db_bind_text(st, 2, s->provider);
	db_bind_text(st, 3, s->owner);
	db_bind_text(st, 4, sandbox_state_name(s->state));
	db_bind_u64(st, 5, s->isolation);
	db_bind_u64(st, 6, s->created_at);
	db_bind_u64(st, 7, s->expires_at);
	db_bind_u64(st, 8, s->issued_after);
	db_bind_u64(st, 9, s->incarnation);
	db_bind_u64(st, 10, s->held);
	db_bind_text(st, 11, s->person);
	db_bind_u64(st, 12, s->end_ticks);
	db_bind_u64(st, 13, s->tied);
	db_bind_u64(st, 14, s->refused_at);
	db_bind_u64(st, 15, s->auto_stop);
	db_bind_u64(st, 16, s->look_ticks);
	db_bind_u64(st, 17, s->warned);
	err = db_run(store, st, why);
	for (size_t i = 0; i < s->label_count && err == SBX_OK; i++) {
		st = db_bound(store, ST_ADD_LABEL, s->id);
		db_bind_text(st, 2, s->label[i].key);
		db_bind_text(st, 3, s->label[i].value);
		err = db_run(store, st, why);
	}
	return err == SBX_EXISTS ? taken(store, s, why) : err;
}

static enum sbx_err
add(struct store *store, struct sandbox *sandbox, uint64_t max,
    struct sbx_why *why)
{
	uint64_t count = 0, floor = 0;
	enum sbx_err err = db_number(
	    store, db_bound(store, ST_COUNT, sandbox->person), 0, &count, why);

	if (err == SBX_OK && count >= max)
		return sbx_fail(why, SBX_REFUSED,
		    "%s has %llu sandboxes, the limit: delete some",
		    sandbox->person, (unsigned long long)count);
	if (err == SBX_OK)
		err = db_number(store, db_bound(store, ST_FLOOR, sandbox->id),
		    0, &floor, why);
	if (err != SBX_OK)
		return err;
	sandbox->issued_after = floor == 0 ? 0 : floor + 1;
	return insert(store, sandbox, why);
}

enum sbx_err
store_add(struct store *store, struct sandbox *sandbox, uint64_t max_per_person,
    struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK)
		err = add(store, sandbox, max_per_person, why);
	return db_end(store, err, why);
}

/* As a JSON array; providers' names need no escapes. */
static void
put_shared(const struct store_filter *filter, char *ret, size_t size)
{
	size_t used = (size_t)snprintf(ret, size, "[");

	for (size_t i = 0; i < PROVIDERS_MAX; i++) {
		if (filter->shared[i] != NULL)
			used += (size_t)snprintf(ret + used, size - used,
			    "%s\"%s\"", used == 1 ? "" : ",",
			    filter->shared[i]);
	}
	(void)snprintf(ret + used, size - used, "]");
}

static enum sbx_err
list(struct store *store, const struct store_filter *filter,
    struct sandbox *rows, size_t limit, size_t *ret_count, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store,
	    filter->owner == NULL ? ST_LIST : ST_LIST_OWNED, filter->after);
	char shared[PROVIDERS_MAX * (NAME_ID_MAX + 3) + 3];
	enum sbx_err err = SBX_OK;
	size_t count = 0;
	int code = SQLITE_DONE;

	if (filter->owner != NULL) {
		put_shared(filter, shared, sizeof(shared));
		db_bind_text(st, 2, filter->owner);
		db_bind_u64(st, 7, filter->uid);
		db_bind_text(st, 8, filter->gids == NULL ? "[]" : filter->gids);
		db_bind_text(st, 10, shared);
	}
	db_bind_text(st, 9, filter->provider);
	if (filter->state >= 0)
		db_bind_text(st, 3,
		    sandbox_state_name((enum sandbox_state)filter->state));
	db_bind_text(st, 4, filter->label_key);
	db_bind_text(st, 5, filter->label_value);
	db_bind_u64(st, 6, limit);
	while (count < limit && (code = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &rows[count++]);
	if (count < limit && code != SQLITE_DONE)
		err = db_fail(store, why);
	for (size_t i = 0; i < count && err == SBX_OK; i++)
		err = read_labels(store, &rows[i], why);
	(void)sqlite3_reset(st);
	*ret_count = count;
	return err;
}

enum sbx_err
store_list(struct store *store, const struct store_filter *filter,
    struct sandbox **ret, size_t *ret_count, struct sbx_why *why)
{
	size_t limit =
	    filter->limit < STORE_PAGE_MAX ? filter->limit : STORE_PAGE_MAX;
	cleanup_free struct sandbox *rows =
	    calloc(limit == 0 ? 1 : limit, sizeof(*rows));
	struct store *reader = store->reader;
	enum sbx_err err;

	if (rows == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_lock(&reader->mutex);
	err = list(reader, filter, rows, limit, ret_count, why);
	(void)pthread_mutex_unlock(&reader->mutex);
	if (err == SBX_OK)
		*ret = steal_ptr(&rows);
	return err;
}

enum sbx_err
store_set_state(struct store *store, const char *id, enum sandbox_state state,
    enum isolation isolation, struct event *event, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK) {
		sqlite3_stmt *st = db_bound(store, ST_SET_STATE, id);

		db_bind_text(st, 2, sandbox_state_name(state));
		db_bind_u64(st, 3, isolation);
		err = db_run(store, st, why);
	}
	return db_end_event(store, err, event, why);
}

/* One number of a sandbox. */
static enum sbx_err
set_number(struct store *store, enum statement which, const char *id,
    uint64_t value, struct event *event, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK) {
		sqlite3_stmt *st = db_bound(store, which, id);

		db_bind_u64(st, 2, value);
		err = db_run(store, st, why);
	}
	return db_end_event(store, err, event, why);
}

enum sbx_err
store_set_held(struct store *store, const char *id, bool held,
    struct event *event, struct sbx_why *why)
{
	return set_number(store, ST_SET_HELD, id, held, event, why);
}

enum sbx_err
store_set_terms(struct store *store, const struct sandbox *s,
    struct event *event, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK) {
		sqlite3_stmt *st = db_bound(store, ST_SET_TERMS, s->id);

		db_bind_u64(st, 2, s->expires_at);
		db_bind_u64(st, 3, s->end_ticks);
		db_bind_u64(st, 4, s->auto_stop);
		db_bind_u64(st, 5, s->look_ticks);
		db_bind_u64(st, 6, s->warned);
		err = db_run(store, st, why);
	}
	return db_end_event(store, err, event, why);
}

enum sbx_err
store_set_refused(struct store *store, const char *id, uint64_t refused_at,
    struct event *event, struct sbx_why *why)
{
	return set_number(store, ST_SET_REFUSED, id, refused_at, event, why);
}

enum sbx_err
store_untie(struct store *store, const char *id, struct event *event,
    struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK)
		err = db_run(store, db_bound(store, ST_UNTIE, id), why);
	return db_end_event(store, err, event, why);
}

enum sbx_err
store_end_tied(struct store *store, const char *id, uint64_t incarnation,
    struct sbx_why *why)
{
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	st = db_bound(store, id == NULL ? ST_END_ALL_TIED : ST_END_TIED, id);
	if (id != NULL)
		db_bind_u64(st, 2, incarnation);
	err = db_run(store, st, why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

enum sbx_err
store_remove(struct store *store, const char *id, struct event *event,
    struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK)
		err = db_run(store, db_bound(store, ST_RAISE_FLOOR, id), why);
	if (err == SBX_OK)
		err = db_run(store, db_bound(store, ST_REMOVE, id), why);
	return db_end_event(store, err, event, why);
}

static enum sbx_err
list_ends(struct store *store, enum statement which, const struct moment *now,
    const char *after, size_t limit, struct store_end **ret, size_t *ret_count,
    struct sbx_why *why)
{
	cleanup_free struct store_end *ends = calloc(limit + 1, sizeof(*ends));
	struct store *reader = store->reader;
	enum sbx_err err = SBX_OK;
	size_t count = 0;
	sqlite3_stmt *st;
	int code = SQLITE_DONE;

	if (ends == NULL)
		return SBX_NOMEM;
	(void)pthread_mutex_lock(&reader->mutex);
	st = db_bound(reader, which, NULL);
	db_bind_u64(st, 1, now->now);
	db_bind_u64(st, 2, limit);
	db_bind_text(st, 3, after);
	db_bind_u64(st, 4, now->ticks);
	while (count < limit && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_end *end = &ends[count++];

		db_column_text(st, 0, end->id, sizeof(end->id));
		db_column_text(st, 1, end->person, sizeof(end->person));
	}
	if (count < limit && code != SQLITE_DONE)
		err = db_fail(reader, why);
	(void)sqlite3_reset(st);
	(void)pthread_mutex_unlock(&reader->mutex);
	if (err != SBX_OK)
		return err;
	*ret_count = count;
	*ret = steal_ptr(&ends);
	return SBX_OK;
}

enum sbx_err
store_expired(struct store *store, const struct moment *now, const char *after,
    size_t limit, struct store_end **ret, size_t *ret_count,
    struct sbx_why *why)
{
	return list_ends(
	    store, ST_ENDED, now, after, limit, ret, ret_count, why);
}

enum sbx_err
store_due(struct store *store, const struct moment *now, const char *after,
    size_t limit, struct store_end **ret, size_t *ret_count,
    struct sbx_why *why)
{
	return list_ends(store, ST_DUE, now, after, limit, ret, ret_count, why);
}

enum sbx_err
store_next(struct store *store, const struct moment *now, uint64_t *ret,
    struct sbx_why *why)
{
	uint64_t end = UINT64_MAX, look = UINT64_MAX;
	struct store *reader = store->reader;
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&reader->mutex);
	st = db_bound(reader, ST_NEXT_END, NULL);
	db_bind_u64(st, 1, now->now);
	db_bind_u64(st, 2, now->ticks);
	err = db_number(reader, st, UINT64_MAX, &end, why);
	st = db_bound(reader, ST_NEXT_LOOK, NULL);
	db_bind_u64(st, 1, now->ticks);
	if (err == SBX_OK)
		err = db_number(reader, st, UINT64_MAX, &look, why);
	(void)pthread_mutex_unlock(&reader->mutex);
	if (err == SBX_OK)
		*ret = end < look ? end : look;
	return err;
}

static enum sbx_err
count_anew(struct store *store, const char *boot, const struct moment *moment,
    uint64_t doubt, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_COUNT_ANEW, NULL);
	enum sbx_err err;

	db_bind_u64(st, 1, moment->ticks);
	db_bind_u64(st, 2, moment->now);
	db_bind_u64(st, 3, doubt);
	err = db_run(store, st, why);
	st = db_bound(store, ST_SET_BOOT, boot);
	db_bind_u64(st, 2, moment->ticks);
	return err != SBX_OK ? err : db_run(store, st, why);
}

enum sbx_err
store_boot(struct store *store, const char *boot, const struct moment *moment,
    uint64_t doubt, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);
	uint64_t since = UINT64_MAX;

	if (err == SBX_OK && *boot != '\0') {
		sqlite3_stmt *st = db_bound(store, ST_BOOT, boot);

		db_bind_u64(st, 2, moment->ticks);
		err = db_number(store, st, UINT64_MAX, &since, why);
	}
	if (err == SBX_OK && since == UINT64_MAX)
		err = count_anew(store, boot, moment, doubt, why);
	return db_end(store, err, why);
}
