/* SPDX-License-Identifier: ISC */
#include "broker/store/db.h"

enum sbx_err
store_shares(struct store *store, const char *id,
    struct share ret[static STORE_SHARES_MAX], size_t *ret_count,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;
	int code = SQLITE_DONE;
	size_t count = 0;
	sqlite3_stmt *st;

	(void)pthread_mutex_lock(&store->mutex);
	st = db_bound(store, ST_SHARES, id);
	while (count < STORE_SHARES_MAX &&
	    (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct share *share = &ret[count++];

		share->group = sqlite3_column_int(st, 0) != 0;
		share->holder = (uint32_t)sqlite3_column_int64(st, 1);
		db_column_text(st, 2, share->name, sizeof(share->name));
		db_column_text(st, 3, share->verbs, sizeof(share->verbs));
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		err = db_fail(store, why);
	(void)sqlite3_reset(st);
	(void)pthread_mutex_unlock(&store->mutex);
	*ret_count = count;
	return err;
}

static enum sbx_err
put(struct store *store, const char *id, const struct share *share,
    struct sbx_why *why)
{
	sqlite3_stmt *st = db_bound(store, ST_SHARE, id);
	uint64_t count = 0;
	enum sbx_err err;

	db_bind_u64(st, 2, share->group);
	db_bind_u64(st, 3, share->holder);
	db_bind_text(st, 4, share->name);
	db_bind_text(st, 5, share->verbs);
	err = db_run(store, st, why);
	if (err == SBX_OK)
		err = db_number(store, db_bound(store, ST_COUNT_SHARES, id), 0,
		    &count, why);
	if (err == SBX_OK && count > STORE_SHARES_MAX)
		err = sbx_fail(why, SBX_REFUSED,
		    "sandbox %s is shared with %d users and groups, the limit: "
		    "share it with a group, or unshare it",
		    id, STORE_SHARES_MAX);
	return err;
}

enum sbx_err
store_share(struct store *store, const char *id, const struct share *share,
    struct event *event, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK)
		err = put(store, id, share, why);
	return db_end_event(store, err, event, why);
}

enum sbx_err
store_unshare(struct store *store, const char *id, bool group, uint32_t holder,
    struct event *event, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK) {
		sqlite3_stmt *st = db_bound(store, ST_UNSHARE, id);

		db_bind_u64(st, 2, group);
		db_bind_u64(st, 3, holder);
		err = db_run(store, st, why);
	}
	return db_end_event(store, err, event, why);
}
