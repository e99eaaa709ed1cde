/* SPDX-License-Identifier: ISC */
#include "broker/store/db.h"

static enum sbx_err
add_certificate(
    struct store *store, const struct certificate *c, struct sbx_why *why)
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
	st = db_bound(store, ST_TRIM_CERTIFICATES, c->id);
	db_bind_u64(st, 2, STORE_CERTIFICATES_KEPT);
	err = db_run(store, st, why);
	if (err != SBX_OK)
		return err;
	st = db_bound(store, ST_RAISE_LAST, c->id);
	db_bind_u64(st, 2, c->valid_after);
	return db_run(store, st, why);
}

enum sbx_err
store_certificates_full(struct store *store, const char *id, uint64_t now,
    uint64_t *ret_free_at, struct sbx_why *why)
{
	sqlite3_stmt *st;
	enum sbx_err err;

	(void)pthread_mutex_lock(&store->mutex);
	st = db_bound(store, ST_VALID_CERTIFICATES, id);
	db_bind_u64(st, 2, now);
	db_bind_u64(st, 3, STORE_CERTIFICATES_MAX);
	err = db_number(store, st, 0, ret_free_at, why);
	(void)pthread_mutex_unlock(&store->mutex);
	return err;
}

enum sbx_err
store_add_certificate(struct store *store,
    const struct certificate *certificate, struct sbx_why *why)
{
	enum sbx_err err = db_begin(store, why);

	if (err == SBX_OK)
		err = add_certificate(store, certificate, why);
	return db_end(store, err, why);
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
