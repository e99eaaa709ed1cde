/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/store/db.h"

#define NOW 1000000
#define WRITES 400
#define THREADS 8

static char folder[] = "/tmp/test_store.XXXXXX";
static char path[64];

static void
remove_database(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char name[80];

		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/db", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	remove_database();
	return rmdir(folder);
}

static int
open_fresh(void **state)
{
	struct store *store;

	remove_database();
	if (store_open(path, &store, NULL) != SBX_OK)
		return -1;
	*state = store;
	return 0;
}

static int
close_it(void **state)
{
	store_close(*state);
	return 0;
}

static struct sandbox
a_sandbox(const char *id, const char *owner)
{
	struct sandbox s = { .state = SANDBOX_RUNNING,
		.isolation = ISOLATION_NAMESPACES,
		.created_at = NOW,
		.issued_after = NOW,
		.label_count = 1,
		.label = { { "team", "blue" } } };

	(void)snprintf(s.id, sizeof(s.id), "%s", id);
	(void)snprintf(s.owner, sizeof(s.owner), "%s", owner);
	(void)snprintf(s.person, sizeof(s.person), "%s", owner);
	(void)snprintf(s.provider, sizeof(s.provider), "local");
	return s;
}

static enum sbx_err
add(struct store *store, const char *id, const char *owner)
{
	struct sandbox s = a_sandbox(id, owner);

	return store_add(store, &s, 100, NULL);
}

static enum sbx_err
certify(struct store *store, const char *id, uint64_t serial, uint64_t after)
{
	struct certificate c = { .serial = serial,
		.caller = "me",
		.key_id = "me/x/1",
		.valid_after = after,
		.valid_before = after + 60,
		.issued_at = after };
	uint64_t free_at;

	(void)snprintf(c.id, sizeof(c.id), "%s", id);
	return store_add_certificate(store, &c, NULL, &free_at, NULL);
}

static void
test_comes_back_as_it_went_in(void **state)
{
	struct sandbox in = a_sandbox("run-1", "alice"), out;

	in.expires_at = NOW + 5;
	in.incarnation = UINT64_MAX - 1;
	in.held = in.tied = true;
	assert_int_equal(store_add(*state, &in, 100, NULL), SBX_OK);
	assert_int_equal(store_get(*state, "run-1", &out, NULL), SBX_OK);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
test_ids_are_unique(void **state)
{
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(add(*state, "run-1", "bob"), SBX_EXISTS);
	assert_int_equal(add(*state, "run-2", "bob"), SBX_OK);
}

static void
test_owners_have_a_limit(void **state)
{
	struct sandbox s = a_sandbox("run-2", "alice");

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(store_add(*state, &s, 1, NULL), SBX_REFUSED);
	s = a_sandbox("run-2", "bob");
	assert_int_equal(store_add(*state, &s, 1, NULL), SBX_OK);
}

static size_t
count(struct store *store, struct store_filter filter)
{
	struct sandbox *rows = NULL;
	size_t n = 0;

	if (filter.after == NULL)
		filter.after = "";
	if (filter.limit == 0)
		filter.limit = 100;
	assert_int_equal(store_list(store, &filter, &rows, &n, NULL), SBX_OK);
	free(rows);
	return n;
}

static void
test_list_filters(void **state)
{
	assert_int_equal(add(*state, "a", "alice"), SBX_OK);
	assert_int_equal(add(*state, "b", "alice"), SBX_OK);
	assert_int_equal(add(*state, "c", "bob"), SBX_OK);
	assert_int_equal(store_set_state(*state, "b", SANDBOX_STOPPED,
			     ISOLATION_NAMESPACES, NULL, NULL),
	    SBX_OK);
	assert_int_equal(
	    count(*state, (struct store_filter){ .state = -1 }), 3);
	assert_int_equal(
	    count(*state, (struct store_filter){ .state = -1, .limit = 2 }), 2);
	assert_int_equal(
	    count(*state, (struct store_filter){ .state = -1, .after = "a" }),
	    2);
	assert_int_equal(
	    count(
		*state, (struct store_filter){ .state = -1, .owner = "alice" }),
	    2);
	assert_int_equal(
	    count(*state, (struct store_filter){ .state = SANDBOX_STOPPED }),
	    1);
	assert_int_equal(
	    count(*state,
		(struct store_filter){
		    .state = -1, .label_key = "team", .label_value = "blue" }),
	    3);
	assert_int_equal(
	    count(*state,
		(struct store_filter){
		    .state = -1, .label_key = "team", .label_value = "red" }),
	    0);
}

static void
test_serials_are_unique(void **state)
{
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(certify(*state, "run-1", UINT64_MAX, NOW), SBX_OK);
	assert_int_equal(certify(*state, "run-1", UINT64_MAX, NOW), SBX_EXISTS);
	assert_int_equal(certify(*state, "none", 5, NOW), SBX_NOT_FOUND);
}

static void
test_id_that_comes_back(void **state)
{
	struct sandbox s = a_sandbox("run-1", "alice");

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(certify(*state, "run-1", 1, NOW + 7), SBX_OK);
	assert_int_equal(certify(*state, "run-1", 2, NOW + 3), SBX_OK);
	assert_int_equal(store_remove(*state, "run-1", NULL, NULL), SBX_OK);
	assert_int_equal(store_add(*state, &s, 100, NULL), SBX_OK);
	assert_int_equal(s.issued_after, NOW + 8);
	/* Also when nobody was let into the second one. */
	assert_int_equal(store_remove(*state, "run-1", NULL, NULL), SBX_OK);
	s = a_sandbox("run-1", "alice");
	assert_int_equal(store_add(*state, &s, 100, NULL), SBX_OK);
	assert_int_equal(s.issued_after, NOW + 8);
	/* Forgotten when no certificate of then can be good. */
	assert_int_equal(store_remove(*state, "run-1", NULL, NULL), SBX_OK);
	assert_int_equal(store_prune(*state, NOW + 8, NULL), SBX_OK);
	s = a_sandbox("run-1", "alice");
	assert_int_equal(store_add(*state, &s, 100, NULL), SBX_OK);
	assert_int_equal(s.issued_after, 0);
}

/* Not before its end, but with its sandbox. */
static void
test_certificates_are_forgotten(void **state)
{
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(certify(*state, "run-1", 1, NOW), SBX_OK);
	assert_int_equal(store_prune(*state, NOW + 60, NULL), SBX_OK);
	assert_int_equal(certify(*state, "run-1", 1, NOW), SBX_EXISTS);
	assert_int_equal(store_prune(*state, NOW + 61, NULL), SBX_OK);
	assert_int_equal(certify(*state, "run-1", 1, NOW), SBX_OK);
	assert_int_equal(store_remove(*state, "run-1", NULL, NULL), SBX_OK);
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(certify(*state, "run-1", 1, NOW), SBX_OK);
}

static size_t
count_expired(
    struct store *store, uint64_t now, uint64_t ticks, const char *after)
{
	const struct moment moment = { now, ticks };
	struct store_end *ends = NULL;
	size_t n = 0;

	assert_int_equal(
	    store_expired(store, &moment, after, 10, &ends, &n, NULL), SBX_OK);
	if (n > 0) {
		assert_string_equal(ends[0].id, "run-1");
		assert_string_equal(ends[0].person, "alice");
	}
	free(ends);
	return n;
}

static void
test_expired(void **state)
{
	struct sandbox s = a_sandbox("run-1", "alice");

	s.expires_at = NOW + 10;
	s.end_ticks = 50;
	assert_int_equal(store_add(*state, &s, 100, NULL), SBX_OK);
	assert_int_equal(add(*state, "run-2", "alice"), SBX_OK);
	assert_int_equal(count_expired(*state, NOW + 10, 50, ""), 1);
	assert_int_equal(count_expired(*state, NOW + 10, 50, "run-1"), 0);
	/* By one clock only: it was set. */
	assert_int_equal(count_expired(*state, NOW + 9, 50, ""), 0);
	assert_int_equal(count_expired(*state, NOW + 99999, 49, ""), 0);
	assert_int_equal(count_expired(*state, NOW - 99999, 99999, ""), 0);
	/* Nor does it wait for a time when it is to go. */
	assert_int_equal(store_set_state(*state, "run-1", SANDBOX_DELETING,
			     ISOLATION_NONE, NULL, NULL),
	    SBX_OK);
	assert_int_equal(count_expired(*state, 0, 0, ""), 1);
	assert_int_equal(count_expired(*state, NOW + 10, 50, ""), 1);
	assert_int_equal(count_expired(*state, 0, 0, "run-1"), 0);
}

/* One that is being removed is for nobody to see, but keeps its id. */
static void
test_removal_that_has_begun(void **state)
{
	struct store_filter filter = { .state = -1, .after = "", .limit = 10 };
	struct sandbox bobs = a_sandbox("run-1", "bob"), *rows = NULL;
	struct sbx_why why = { "" };
	size_t count = 0;

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(store_set_state(*state, "run-1", SANDBOX_DELETING,
			     ISOLATION_NONE, NULL, NULL),
	    SBX_OK);
	assert_int_equal(
	    store_list(*state, &filter, &rows, &count, NULL), SBX_OK);
	assert_int_equal(count, 0);
	free(rows);
	filter.state = SANDBOX_DELETING;
	assert_int_equal(
	    store_list(*state, &filter, &rows, &count, NULL), SBX_OK);
	assert_int_equal(count, 1);
	free(rows);
	assert_int_equal(store_add(*state, &bobs, 100, &why), SBX_EXISTS);
	assert_non_null(strstr(why.text, "still being removed"));
}

#define LIFE 36000
#define DOUBT 3600

/* What is left after a restart at this time. */
static const struct boot_row {
	const char *name, *boot;
	int64_t elapsed; /* of Unix time, since it was made at ticks 1000 */
	uint64_t ticks;	 /* now */
	uint64_t end_ticks;
} boot_rows[] = {
	{ "the same boot", "one", 600, 1600, 1000 + LIFE },
	{ "the clock is ahead", "one", 50000, 1600, 1000 + LIFE },
	{ "the clock is behind", "one", -NOW, 1600, 1000 + LIFE },
	{ "another boot", "two", 600, 5, 5 + LIFE - 600 },
	{ "the end is near", "two", LIFE - 60, 5, 5 + DOUBT },
	{ "it is over, or the clock is ahead", "two", LIFE + 60, 5, 5 + DOUBT },
	{ "a clock of 1970", "two", -NOW, 5, 5 + LIFE },
	{ "ticks that went back", "one", 600, 5, 5 + LIFE - 600 },
	{ "nobody knows which boot", "", 600, 1600, 1600 + LIFE - 600 },
};

static void
test_boot(void **state)
{
	const struct boot_row *row = *state;
	const struct moment made = { NOW, 1000 };
	const struct moment now = { (uint64_t)(NOW + row->elapsed),
		row->ticks };
	struct sandbox s = a_sandbox("run-1", "alice");
	struct store *store;

	remove_database();
	assert_int_equal(store_open(path, &store, NULL), SBX_OK);
	assert_int_equal(store_boot(store, "one", &made, DOUBT, NULL), SBX_OK);
	s.expires_at = NOW + LIFE;
	s.end_ticks = made.ticks + LIFE;
	assert_int_equal(store_add(store, &s, 100, NULL), SBX_OK);
	assert_int_equal(add(store, "endless", "alice"), SBX_OK);
	store_close(store);
	/* A second start of this boot changes nothing. */
	for (int i = 0; i < 2 && (i == 0 || *row->boot != '\0'); i++) {
		assert_int_equal(store_open(path, &store, NULL), SBX_OK);
		assert_int_equal(
		    store_boot(store, row->boot, &now, DOUBT, NULL), SBX_OK);
		assert_int_equal(store_get(store, "run-1", &s, NULL), SBX_OK);
		assert_int_equal(s.end_ticks, row->end_ticks);
		assert_int_equal(s.expires_at, NOW + LIFE);
		assert_int_equal(store_get(store, "endless", &s, NULL), SBX_OK);
		assert_int_equal(s.end_ticks, 0);
		store_close(store);
	}
}

#define BOOT_ROWS (sizeof(boot_rows) / sizeof(boot_rows[0]))

static const struct {
	const char *name, *sql;
} statements[] = {
#define STATEMENT_TEXT(name, sql) { #name, "EXPLAIN QUERY PLAN " sql },
	STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

/* However many rows there are: each finds its own by an index. */
static void
test_nothing_is_read_through(void **state)
{
	struct store *store = *state;
	size_t steps = 0;

	for (size_t i = ST_COMMIT + 1; i < ST_COUNT_OF_THEM; i++) {
		sqlite3_stmt *st = NULL;

		assert_int_equal(sqlite3_prepare_v2(store->db,
				     statements[i].sql, -1, &st, NULL),
		    SQLITE_OK);
		for (; sqlite3_step(st) == SQLITE_ROW; steps++) {
			const char *step =
			    (const char *)sqlite3_column_text(st, 3);

			/* A virtual table is what we bind. */
			if (strncmp(step, "SCAN", 4) == 0 && i != ST_BOOT &&
			    strstr(step, "VIRTUAL TABLE") == NULL)
				fail_msg("%s: %s", statements[i].name, step);
			/* The end is part of the index, and gives the order. */
			if (i == ST_VALID_CERTIFICATES)
				assert_non_null(strstr(step, "valid_before>?"));
			if (i == ST_ENDED)
				assert_null(strstr(step, "PRIMARY KEY"));
			/* Not all that there are, for those of one owner. */
			if (i == ST_LIST_OWNED)
				assert_null(strstr(step, "(id>?)"));
			if (i == ST_TRIM_CERTIFICATES)
				assert_null(strstr(step, "TEMP B-TREE"));
		}
		(void)sqlite3_finalize(st);
	}
	assert_true(steps > 20);
}

/* Whoever has several uids has one limit. */
static void
test_limit_of_a_person(void **state)
{
	struct sandbox s = a_sandbox("run-1", "uid:500001");
	struct sbx_why why = { "" };

	(void)snprintf(s.person, sizeof(s.person), "alice");
	assert_int_equal(store_add(*state, &s, 2, NULL), SBX_OK);
	assert_int_equal(add(*state, "run-2", "alice"), SBX_OK);
	(void)snprintf(s.id, sizeof(s.id), "run-3");
	(void)snprintf(s.owner, sizeof(s.owner), "uid:500002");
	assert_int_equal(store_add(*state, &s, 2, &why), SBX_REFUSED);
	assert_non_null(strstr(why.text, "alice has 2 sandboxes"));
	assert_int_equal(add(*state, "run-4", "bob"), SBX_OK);
}

static size_t
rows_of_certificates(void)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	size_t count;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(
		db, "SELECT count(*) FROM certificates", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	count = (size_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	return count;
}

static enum sbx_err
certify_until(struct store *store, uint64_t serial, uint64_t valid_before,
    uint64_t now, uint64_t *ret_free_at)
{
	const struct certificate c = { .serial = serial,
		.id = "run-1",
		.caller = "alice",
		.key_id = "alice/run-1/1",
		.valid_after = NOW,
		.valid_before = valid_before,
		.issued_at = now };

	return store_add_certificate(store, &c, NULL, ret_free_at, NULL);
}

static void
test_certificates_have_a_limit(void **state)
{
	uint64_t serial = 0, free_at = 1;

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	while (serial < STORE_CERTIFICATES_MAX) {
		serial++;
		assert_int_equal(
		    certify_until(*state, serial, NOW + serial, NOW, &free_at),
		    SBX_OK);
		assert_int_equal(free_at, 0);
	}
	assert_int_equal(
	    certify_until(*state, serial + 1, NOW + serial, NOW, &free_at),
	    SBX_REFUSED);
	assert_int_equal(free_at, NOW + 1);
	assert_int_equal(rows_of_certificates(), STORE_CERTIFICATES_MAX);
	/* One has ended: there is room for one. */
	serial++;
	assert_int_equal(
	    certify_until(*state, serial, NOW + serial, NOW + 1, &free_at),
	    SBX_OK);
	assert_int_equal(
	    certify_until(*state, serial + 1, NOW + serial, NOW + 1, &free_at),
	    SBX_REFUSED);
	assert_int_equal(free_at, NOW + 2);
	/* Those that ended are not kept without limit either. */
	while (serial++ < 2 * STORE_CERTIFICATES_KEPT)
		assert_int_equal(certify_until(*state, serial, NOW + serial,
				     NOW + serial, &free_at),
		    SBX_OK);
	assert_in_range(rows_of_certificates(),
	    STORE_CERTIFICATES_KEPT - STORE_CERTIFICATES_MAX,
	    STORE_CERTIFICATES_KEPT);
}

static void
test_some_are_spared(void **state)
{
	const uint64_t spare = STORE_CERTIFICATES_MAX - 2;
	struct certificate c = { .id = "run-1",
		.caller = "bob",
		.key_id = "bob/run-1/1",
		.valid_after = NOW,
		.valid_before = NOW + 60,
		.issued_at = NOW,
		.spare = spare };
	uint64_t free_at;

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	for (c.serial = 1; c.serial <= 2; c.serial++)
		assert_int_equal(
		    store_add_certificate(*state, &c, NULL, &free_at, NULL),
		    SBX_OK);
	assert_int_equal(
	    store_add_certificate(*state, &c, NULL, &free_at, NULL),
	    SBX_REFUSED);
	assert_int_equal(free_at, NOW + 60);
	c.spare = 0;
	assert_int_equal(
	    store_add_certificate(*state, &c, NULL, &free_at, NULL), SBX_OK);
	c.serial++;
	c.spare = spare;
	c.issued_at = NOW + 60;
	assert_int_equal(
	    store_add_certificate(*state, &c, NULL, &free_at, NULL), SBX_OK);
}

/* With another's in the same place they are counted again. */
static void
test_limit_beside_others(void **state)
{
	uint64_t serial = 0, free_at;

	for (int i = 0; i < 2 * ROOMS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "other-%d", i);
		assert_int_equal(add(*state, id, /* owner= */ id), SBX_OK);
	}
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	while (serial < STORE_CERTIFICATES_MAX) {
		serial++;
		assert_int_equal(
		    certify_until(*state, serial, NOW + 60, NOW, &free_at),
		    SBX_OK);
	}
	for (int i = 0; i < 2 * ROOMS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "other-%d", i);
		serial++;
		assert_int_equal(certify(*state, id, serial, NOW), SBX_OK);
	}
	assert_int_equal(
	    certify_until(*state, serial + 1, NOW + 60, NOW, &free_at),
	    SBX_REFUSED);
	assert_int_equal(free_at, NOW + 60);
}

static void *
certify_many(void *argument)
{
	static uint64_t next = 1;
	struct store *store = argument;

	for (int i = 0; i < 20; i++) {
		uint64_t serial =
		    __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);

		if (certify(store, "run-1", serial, NOW) != SBX_OK)
			return argument;
	}
	return NULL;
}

static void
test_many_threads(void **state)
{
	pthread_t threads[THREADS];

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, certify_many, *state), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

/*
 * Writes that share a transaction.
 */

static int commits;

static int
count_commit(void *context)
{
	(void)context;
	commits++;
	return 0;
}

static size_t
waiting(struct store *store)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&store->writers.mutex);
	for (struct gather_part *p = store->writers.first; p != NULL;
	     p = p->next)
		n++;
	(void)pthread_mutex_unlock(&store->writers.mutex);
	return n;
}

/* Until so many others wait. */
static enum sbx_err
wait_for_others(struct store *store, void *context, struct sbx_why *why)
{
	(void)why;
	while (waiting(store) < *(size_t *)context)
		(void)sched_yield();
	return SBX_OK;
}

static void *
hold_writers(void *argument)
{
	static size_t others = THREADS;

	return db_write(argument, wait_for_others, &others, NULL) == SBX_OK
	    ? NULL
	    : argument;
}

struct one_write {
	struct store *store;
	uint64_t serial;
	bool spoil; /* written, and then no */
	enum sbx_err err;
};

static enum sbx_err
write_certificate(struct store *store, void *context, struct sbx_why *why)
{
	const struct one_write *w = context;
	sqlite3_stmt *st = db_bound(store, ST_ADD_CERTIFICATE, NULL);
	enum sbx_err err;

	db_bind_u64(st, 1, w->serial);
	db_bind_text(st, 2, "run-1");
	db_bind_text(st, 3, "me");
	db_bind_text(st, 4, "me/run-1/1");
	for (int i = 5; i <= 7; i++)
		db_bind_u64(st, i, NOW);
	err = db_run(store, st, why);
	return w->spoil ? SBX_STATE : err;
}

static void *
write_one(void *argument)
{
	struct one_write *w = argument;

	w->err = db_write(w->store, write_certificate, w, NULL);
	return NULL;
}

/* THREADS writes that come while another goes on; those are spoilt. */
static void
write_together(struct store *store, size_t first_spoilt, size_t spoilt)
{
	struct one_write writes[THREADS];
	pthread_t threads[THREADS], holder;
	void *failed = NULL;

	assert_int_equal(add(store, "run-1", "alice"), SBX_OK);
	(void)sqlite3_commit_hook(store->db, count_commit, NULL);
	commits = 0;
	assert_int_equal(pthread_create(&holder, NULL, hold_writers, store), 0);
	while (!__atomic_load_n(&store->writers.busy, __ATOMIC_SEQ_CST) ||
	    waiting(store) > 0)
		(void)sched_yield();
	for (size_t i = 0; i < THREADS; i++) {
		writes[i] = (struct one_write){ store, i + 1,
			i >= first_spoilt && i < first_spoilt + spoilt,
			SBX_INTERNAL };
		assert_int_equal(
		    pthread_create(&threads[i], NULL, write_one, &writes[i]),
		    0);
	}
	assert_int_equal(pthread_join(holder, &failed), 0);
	assert_null(failed);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(
		    writes[i].err, writes[i].spoil ? SBX_STATE : SBX_OK);
	}
	assert_int_equal(rows_of_certificates(), THREADS - spoilt);
}

static void
test_writes_share_a_flush(void **state)
{
	write_together(*state, 0, 0);
	/* That which held the others up, and one for them all. */
	assert_int_equal(commits, 2);
}

static void
test_spoilt_writes_are_their_own(void **state)
{
	write_together(*state, 3, 2);
	assert_int_equal(commits, 1 + THREADS - 2);
}

/* Write for ever, telling after each write that it is done. */
static void
write_until_killed(int fd)
{
	struct store *store;

	if (store_open(path, &store, NULL) != SBX_OK)
		_exit(1);
	for (unsigned i = 0;; i++) {
		char id[NAME_ID_MAX + 1];
		struct sandbox s;

		(void)snprintf(id, sizeof(id), "run-%06u", i);
		s = a_sandbox(id, "alice");
		if (store_add(store, &s, UINT64_MAX, NULL) != SBX_OK ||
		    certify(store, id, i + 1, NOW) != SBX_OK)
			_exit(1);
		if (write(fd, id, 10) != 10)
			_exit(1);
	}
}

static void
test_killed_in_the_middle(void **state)
{
	char id[NAME_ID_MAX + 1] = "", last[NAME_ID_MAX + 1] = "";
	struct store *store;
	struct sandbox s;
	unsigned count_of_them = 0;
	int fds[2], status;
	pid_t pid;

	(void)state;
	remove_database();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		write_until_killed(fds[1]);
	(void)close(fds[1]);
	while (read(fds[0], id, 10) == 10) {
		memcpy(last, id, sizeof(last));
		if (++count_of_them == WRITES)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(count_of_them >= WRITES);

	assert_int_equal(store_open(path, &store, NULL), SBX_OK);
	for (unsigned i = 0; i < count_of_them; i++) {
		(void)snprintf(id, sizeof(id), "run-%06u", i);
		assert_int_equal(store_get(store, id, &s, NULL), SBX_OK);
		assert_int_equal(certify(store, id, i + 1, NOW), SBX_EXISTS);
	}
	assert_string_equal(last, id);
	store_close(store);
}

static void
test_held(void **state)
{
	struct sandbox s;

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(add(*state, "run-2", "alice"), SBX_OK);
	assert_int_equal(
	    store_set_held(*state, "run-1", true, NULL, NULL), SBX_OK);
	assert_int_equal(store_get(*state, "run-1", &s, NULL), SBX_OK);
	assert_true(s.held);
	assert_int_equal(store_get(*state, "run-2", &s, NULL), SBX_OK);
	assert_false(s.held);
	assert_int_equal(
	    store_set_held(*state, "run-1", false, NULL, NULL), SBX_OK);
	assert_int_equal(store_get(*state, "run-1", &s, NULL), SBX_OK);
	assert_false(s.held);
}

/* A text file of the folder of this test. */
static char *
read_text(const char *name)
{
	char file[1024];
	const char *srcdir = getenv("SRCDIR");
	char *text = calloc(1, 16384);
	FILE *in;

	(void)snprintf(file, sizeof(file), "%s/tests/unit/broker/store/%s",
	    srcdir == NULL ? "." : srcdir, name);
	in = fopen(file, "r");
	assert_non_null(text);
	assert_non_null(in);
	assert_in_range(fread(text, 1, 16384, in), 1000, 16383);
	(void)fclose(in);
	return text;
}

static void
test_older_schema(void **state)
{
	char *text = read_text("version-1.sql");
	struct store *store = NULL;
	struct sandbox s;
	sqlite3 *db;

	(void)state;
	remove_database();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(text);
	/* Once brought up to date it is so. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_open(path, &store, NULL), SBX_OK);
		assert_int_equal(store_get(store, "run-1", &s, NULL), SBX_OK);
		assert_string_equal(s.owner, "alice");
		assert_int_equal(s.state, SANDBOX_STOPPED);
		assert_int_equal(s.label_count, 1);
		assert_int_equal(s.incarnation, 0);
		assert_int_equal(s.held, i);
		assert_string_equal(s.person, "alice");
		assert_int_equal(store_get(store, "run-2", &s, NULL), SBX_OK);
		assert_int_equal(s.expires_at, 2000000);
		assert_int_equal(s.issued_after, 999999);
		assert_int_equal(certify(store, "run-1", 77, NOW), SBX_EXISTS);
		assert_int_equal(
		    store_set_held(store, "run-1", true, NULL, NULL), SBX_OK);
		store_close(store);
	}
	assert_int_equal(store_open(path, &store, NULL), SBX_OK);
	assert_int_equal(add(store, "run-0", "carol"), SBX_OK);
	assert_int_equal(store_get(store, "run-0", &s, NULL), SBX_OK);
	assert_int_equal(s.issued_after, 1000051);
	store_close(store);
}

static enum sandbox_state
state_of(struct store *store, const char *id)
{
	struct sandbox s;

	assert_int_equal(store_get(store, id, &s, NULL), SBX_OK);
	return s.state;
}

static void
add_tied(struct store *store, const char *id)
{
	struct sandbox s = a_sandbox(id, "alice");

	s.tied = true;
	s.incarnation = 7;
	assert_int_equal(store_add(store, &s, 100, NULL), SBX_OK);
}

static void
test_tied(void **state)
{
	add_tied(*state, "ends");
	add_tied(*state, "untied");
	add_tied(*state, "other");
	assert_int_equal(add(*state, "free", "alice"), SBX_OK);
	assert_int_equal(store_untie(*state, "untied", NULL, NULL), SBX_OK);
	assert_int_equal(store_end_tied(*state, "ends", 7, NULL), SBX_OK);
	assert_int_equal(store_end_tied(*state, "untied", 7, NULL), SBX_OK);
	assert_int_equal(store_end_tied(*state, "other", 8, NULL), SBX_OK);
	assert_int_equal(store_end_tied(*state, "free", 0, NULL), SBX_OK);
	assert_int_equal(state_of(*state, "ends"), SANDBOX_DELETING);
	assert_int_equal(state_of(*state, "untied"), SANDBOX_RUNNING);
	assert_int_equal(state_of(*state, "other"), SANDBOX_RUNNING);
	assert_int_equal(state_of(*state, "free"), SANDBOX_RUNNING);
	/* Nobody who was at work on it brings it back. */
	assert_int_equal(store_set_state(*state, "ends", SANDBOX_STOPPED,
			     ISOLATION_NAMESPACES, NULL, NULL),
	    SBX_OK);
	assert_int_equal(store_untie(*state, "ends", NULL, NULL), SBX_OK);
	assert_int_equal(state_of(*state, "ends"), SANDBOX_DELETING);
	assert_int_equal(store_end_tied(*state, NULL, 0, NULL), SBX_OK);
	assert_int_equal(state_of(*state, "other"), SANDBOX_DELETING);
	assert_int_equal(state_of(*state, "untied"), SANDBOX_RUNNING);
}

static void
test_newer_schema(void **state)
{
	struct sbx_why why = { "" };
	struct store *store = NULL;
	sqlite3 *db;

	(void)state;
	remove_database();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_open(path, &store, &why), SBX_CONFIG);
	assert_non_null(strstr(why.text, "newer sandboxd"));
}

static void
test_not_a_database(void **state)
{
	struct store *store = NULL;
	FILE *file;

	(void)state;
	remove_database();
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		(void)fputs("nonsense", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(store_open(path, &store, NULL), SBX_UNAVAILABLE);
	assert_int_equal(store_open("/nonexistent/db", &store, NULL), SBX_IO);
}

static size_t
listed(struct store *store, uint32_t uid, const char *gids)
{
	const struct store_filter filter = { .owner = "carol",
		.uid = uid,
		.gids = gids,
		.state = -1,
		.after = "",
		.limit = 10 };
	struct sandbox *rows = NULL;
	size_t count = 0;

	assert_int_equal(
	    store_list(store, &filter, &rows, &count, NULL), SBX_OK);
	free(rows);
	return count;
}

static void
test_shares(void **state)
{
	const struct share bob = { false, 7, "bob", "show" };
	const struct share again = { false, 7, "bob", "show,ssh" };
	const struct share team = { true, 7, "team", "show" };
	struct share shares[STORE_SHARES_MAX];
	size_t count;

	assert_int_equal(
	    store_share(*state, "run-1", &bob, NULL, NULL), SBX_NOT_FOUND);
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(
	    store_share(*state, "run-1", &bob, NULL, NULL), SBX_OK);
	assert_int_equal(
	    store_share(*state, "run-1", &again, NULL, NULL), SBX_OK);
	assert_int_equal(listed(*state, 7, NULL), 1);
	assert_int_equal(listed(*state, 8, "[7]"), 0);
	assert_int_equal(
	    store_share(*state, "run-1", &team, NULL, NULL), SBX_OK);
	assert_int_equal(listed(*state, 8, "[6,7]"), 1);
	assert_int_equal(listed(*state, 8, "[6]"), 0);
	assert_int_equal(
	    store_shares(*state, "run-1", shares, &count, NULL), SBX_OK);
	assert_int_equal(count, 2);
	assert_string_equal(shares[0].verbs, "show,ssh");
	assert_true(shares[1].group);
	assert_int_equal(
	    store_unshare(*state, "run-1", false, 7, NULL, NULL), SBX_OK);
	assert_int_equal(
	    store_unshare(*state, "run-1", false, 7, NULL, NULL), SBX_OK);
	assert_int_equal(listed(*state, 7, NULL), 0);
	/* The next one of this id is nobody else's. */
	assert_int_equal(store_remove(*state, "run-1", NULL, NULL), SBX_OK);
	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	assert_int_equal(
	    store_shares(*state, "run-1", shares, &count, NULL), SBX_OK);
	assert_int_equal(count, 0);
}

static void
test_shares_have_a_limit(void **state)
{
	struct share share = { false, 0, "x", "show" };
	struct share shares[STORE_SHARES_MAX];
	size_t count;

	assert_int_equal(add(*state, "run-1", "alice"), SBX_OK);
	for (share.holder = 1; share.holder <= STORE_SHARES_MAX; share.holder++)
		assert_int_equal(
		    store_share(*state, "run-1", &share, NULL, NULL), SBX_OK);
	assert_int_equal(
	    store_share(*state, "run-1", &share, NULL, NULL), SBX_REFUSED);
	share.holder = 1;
	assert_int_equal(
	    store_share(*state, "run-1", &share, NULL, NULL), SBX_OK);
	assert_int_equal(
	    store_shares(*state, "run-1", shares, &count, NULL), SBX_OK);
	assert_int_equal(count, STORE_SHARES_MAX);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_fresh, close_it)

int
main(void)
{
	struct CMUnitTest boots[BOOT_ROWS];
	const struct CMUnitTest tests[] = {
		FRESH(test_comes_back_as_it_went_in),
		FRESH(test_ids_are_unique),
		FRESH(test_owners_have_a_limit),
		FRESH(test_list_filters),
		FRESH(test_serials_are_unique),
		FRESH(test_id_that_comes_back),
		FRESH(test_certificates_are_forgotten),
		FRESH(test_expired),
		FRESH(test_certificates_have_a_limit),
		FRESH(test_limit_beside_others),
		FRESH(test_some_are_spared),
		FRESH(test_removal_that_has_begun),
		FRESH(test_shares),
		FRESH(test_shares_have_a_limit),
		FRESH(test_limit_of_a_person),
		FRESH(test_nothing_is_read_through),
		FRESH(test_many_threads),
		FRESH(test_writes_share_a_flush),
		FRESH(test_spoilt_writes_are_their_own),
		cmocka_unit_test(test_killed_in_the_middle),
		FRESH(test_held),
		FRESH(test_tied),
		cmocka_unit_test(test_older_schema),
		cmocka_unit_test(test_newer_schema),
		cmocka_unit_test(test_not_a_database),
	};

	for (size_t i = 0; i < BOOT_ROWS; i++)
		boots[i] = (struct CMUnitTest){ boot_rows[i].name, test_boot,
			NULL, NULL, (void *)(uintptr_t)&boot_rows[i] };
	return cmocka_run_group_tests(tests, make_folder, NULL) +
	    cmocka_run_group_tests(boots, NULL, remove_folder);
}
