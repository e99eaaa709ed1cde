/* SPDX-License-Identifier: ISC */
#include "broker/store/db.h"

#include <string.h>

struct addition {
	const struct certificate *certificate;
	struct event *event;
	uint64_t *ret_free_at;
};

/* The same for the same id. */
static struct room *
room_of(struct store *store, const char *id)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */

	for (const char *p = id; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * 1099511628211U;
	return &store->room[hash % ROOMS];
}

/*
 * Certificates end by themselves, and only we make more: so it is enough to
 * count, and to forget, when there may be as many as there may be at most.
 */
static enum sbx_err
count_room(struct store *store, const struct certificate *c, uint64_t *ret_left,
    struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_VALID_CERTIFICATES, c->id);
	uint64_t valid = 0;
	enum sbx_err err;

	db_bind_u64(st, 2, c->issued_at);
	err = db_number(store, st, 0, &valid, why);
	if (err != SBX_OK)
		return err;
	*ret_left =
	    valid < STORE_CERTIFICATES_MAX ? STORE_CERTIFICATES_MAX - valid : 0;
	if (*ret_left == 0)
		return SBX_OK;
	st = db_bound(store, ST_TRIM_CERTIFICATES, c->id);
	db_bind_u64(st, 2, STORE_CERTIFICATES_KEPT - *ret_left);
	return db_run(store, st, why);
}

static enum sbx_err
refuse_more(struct store *store, const struct addition *a, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_FIRST_END, a->certificate->id);
	enum sbx_err err;

	db_bind_u64(st, 2, a->certificate->issued_at);
	err = db_number(store, st, 0, a->ret_free_at, why);
	return err != SBX_OK
	    ? err
	    : sbx_fail(why, SBX_REFUSED, "too many certificates");
}

static enum sbx_err
insert(struct store *store, const struct certificate *c, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_ADD_CERTIFICATE, NULL);
	enum sbx_err err;

	db_bind_u64(st, 1, c->serial);
	db_bind_text(st, 2, c->id);
	db_bind_text(st, 3, c->caller);
	db_bind_text(st, 4, c->key_id);
	db_bind_u64(st, 5, c->valid_after);
	db_bind_u64(st, 6, c->valid_before);
	db_bind_u64(st, 7, c->issued_at);
	err = db_run(store, st, why);
	if (err != SBX_OK)
		return err;
	st = db_bound(store, ST_RAISE_LAST, c->id);
	db_bind_u64(st, 2, c->valid_after);
	return db_run(store, st, why);
}

static enum sbx_err
add_certificate(struct store *store, void *context, struct sbx_why *why)
{
	const struct addition *a = context;
	const struct certificate *c = a->certificate;
	struct room *room = room_of(store, c->id);
	uint64_t left = strcmp(room->id, c->id) == 0 ? room->left : 0;
	enum sbx_err err = SBX_OK;

	room->left = 0; /* until all went well */
	if (left <= c->spare)
		err = count_room(store, c, &left, why);
	if (err == SBX_OK && left <= c->spare)
		err = refuse_more(store, a, why);
	if (err == SBX_OK)
		err = insert(store, c, why);
	if (err == SBX_OK)
		err = db_add_event(store, a->event, why);
	if (err != SBX_OK)
		return err;
	memcpy(room->id, c->id, sizeof(room->id));
	room->left = left - 1;
	return SBX_OK;
}

static enum sbx_err
list_live(struct store *store, const char *id, uint64_t now,
    struct store_live *ret, size_t max, struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_LIST_LIVE, id);
	enum sbx_err err = SBX_OK;
	size_t count = 0;
	int code = SQLITE_DONE;

	db_bind_u64(st, 2, now);
	db_bind_u64(st, 3, max);
	while (count < max && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_live *live = &ret[count++];

		live->serial = (uint64_t)sqlite3_column_int64(st, 0);
		db_column_text(st, 1, live->key_id, sizeof(live->key_id));
		live->valid_after = (uint64_t)sqlite3_column_int64(st, 2);
		live->valid_before = (uint64_t)sqlite3_column_int64(st, 3);
	}
	if (count < max && code != SQLITE_DONE)
		err = db_fail(store, why);
	(void)sqlite3_reset(st);
	return err;
}

enum sbx_err
store_live_certificates(struct store *store, const char *id, uint64_t now,
    struct store_live *ret, size_t max, uint64_t *ret_all, struct sbx_why *why)
{
	struct store *reader = store->reader;
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&reader->mutex);
	st = db_bound(reader, ST_VALID_CERTIFICATES, id);
	db_bind_u64(st, 2, now);
	err = db_number(reader, st, 0, ret_all, why);
	if (err == SBX_OK)
		err = list_live(reader, id, now, ret, max, why);
	(void)pthread_mutex_unlock(&reader->mutex);
	return err;
}

enum sbx_err
store_add_certificate(struct store *store,
    const struct certificate *certificate, struct event *event,
    uint64_t *ret_free_at, struct sbx_why *why)
{
	struct addition addition = { certificate, event, ret_free_at };
	enum sbx_err err;

	*ret_free_at = 0;
	err = db_write(store, add_certificate, &addition, why);
	if (err != SBX_OK && event != NULL)
		event->number = 0;
	return err;
}

enum sbx_err
store_next_caller(struct store *store, const char *id, uint64_t now,
    const char *after, char ret[static STORE_OWNER_MAX + 1],
    struct sbx_why *why)
{
	struct store *reader = store->reader;
	enum sbx_err err = SBX_OK;
	sqlite3_stmt *st;

	(void)pthread_mutex_lock(&reader->mutex);
	st = db_bound(reader, ST_NEXT_CALLER, id);
	db_bind_u64(st, 2, now);
	db_bind_text(st, 3, after);
	if (sqlite3_step(st) == SQLITE_ROW)
		db_column_text(st, 0, ret, STORE_OWNER_MAX + 1);
	else
		err = db_fail(reader, why);
	(void)sqlite3_reset(st);
	(void)pthread_mutex_unlock(&reader->mutex);
	return err;
}

enum sbx_err
store_revoke(struct store *store, const char *id, uint64_t now,
    const char *caller, struct sbx_why *why)
{
	enum sbx_err err;
	sqlite3_stmt *st;

	(void)pthread_mutex_lock(&store->mutex);
	st = db_bound(store, ST_REVOKE, id);
	db_bind_u64(st, 2, now);
	db_bind_text(st, 3, caller);
	err = db_run(store, st, why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

static enum sbx_err
prune(struct store *store, enum statement which, uint64_t before,
    struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, which, NULL);

	db_bind_u64(st, 1, before);
	return db_run(store, st, why);
}

enum sbx_err
store_prune(struct store *store, uint64_t before, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK)
		err = prune(store, ST_PRUNE_CERTIFICATES, before, why);
	if (err == SBX_OK)
		err = prune(store, ST_PRUNE_FLOORS, before, why);
	return db_end(store, err, why);
}
