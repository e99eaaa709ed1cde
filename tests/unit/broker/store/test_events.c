/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "broker/store/db.h"
#include "common/cleanup.h"

#define NOW 1000000

static int
open_fresh(void **state)
{
	struct store *store;

	if (store_open(":memory:", &store, NULL) != SBX_OK)
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

static struct event
an_event(const char *id, const char *owner, uint64_t time)
{
	struct event e = { .time = time,
		.kind = EVENT_STOPPED,
		.incarnation = UINT64_MAX - 1,
		.cause = "stop",
		.by = "root",
		.detail = "why" };

	(void)snprintf(e.id, sizeof(e.id), "%s", id);
	(void)snprintf(e.owner, sizeof(e.owner), "%s", owner);
	(void)snprintf(e.person, sizeof(e.person), "%s", owner);
	return e;
}

static uint64_t
add(struct store *store, const char *id, const char *owner, uint64_t time)
{
	struct event e = an_event(id, owner, time);

	assert_int_equal(store_add_event(store, &e, NULL), SBX_OK);
	return e.number;
}

/* How many there are behind after, of id or of all; *next moves on. */
static size_t
count(struct store *store, uint64_t after, const char *id, uint64_t *next)
{
	cleanup_free struct event *rows = NULL;
	uint64_t last;
	size_t n = 0;

	assert_int_equal(
	    store_events(store, after, id, &rows, &n, next, &last, NULL),
	    SBX_OK);
	assert_true(*next <= last);
	return n;
}

static void
test_comes_back_as_it_went_in(void **state)
{
	cleanup_free struct event *rows = NULL;
	struct event e = an_event("run-1", "alice", NOW);
	uint64_t next, last;
	size_t n;

	assert_int_equal(store_add_event(*state, &e, NULL), SBX_OK);
	assert_int_equal(e.number, 1);
	assert_int_equal(
	    store_events(*state, 0, NULL, &rows, &n, &next, &last, NULL),
	    SBX_OK);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].number, e.number);
	assert_int_equal(rows[0].time, e.time);
	assert_int_equal(rows[0].kind, e.kind);
	assert_int_equal(rows[0].incarnation, e.incarnation);
	assert_string_equal(rows[0].id, e.id);
	assert_string_equal(rows[0].owner, e.owner);
	assert_string_equal(rows[0].person, e.person);
	assert_string_equal(rows[0].cause, e.cause);
	assert_string_equal(rows[0].by, e.by);
	assert_string_equal(rows[0].detail, e.detail);
	assert_int_equal(next, 1);
	assert_int_equal(last, 1);
}

static void
test_one_sandbox(void **state)
{
	uint64_t next;

	(void)add(*state, "run-1", "alice", NOW);
	(void)add(*state, "run-2", "alice", NOW);
	(void)add(*state, "run-1", "alice", NOW);
	assert_int_equal(count(*state, 0, "run-1", &next), 2);
	assert_int_equal(next, 3);
	assert_int_equal(count(*state, 1, "run-1", &next), 1);
	assert_int_equal(count(*state, 3, NULL, &next), 0);
	/* Of a database that has been put back since. */
	assert_int_equal(count(*state, 700, NULL, &next), 0);
	assert_int_equal(next, 3);
}

/* What one look gives, and how far it goes, has an end. */
static void
test_pages(void **state)
{
	uint64_t next = 0;
	size_t all = 0;

	assert_int_equal(sqlite3_exec(((struct store *)*state)->db, "BEGIN",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	for (int i = 0; i < 10000; i++) {
		sqlite3_stmt *st = db_bound(*state, ST_ADD_EVENT, NULL);

		for (int at = 1; at < 10; at++)
			db_bind_text(st, at, at == 2 ? "stopped" : "1");
		assert_int_equal(db_number(*state, st, 0, &next, NULL), SBX_OK);
	}
	assert_int_equal(sqlite3_exec(((struct store *)*state)->db, "COMMIT",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(count(*state, 0, "other", &next), 0);
	assert_in_range(next, 1000, 9999);
	next = 0;
	for (int i = 0; i < 40; i++) {
		size_t n = count(*state, next, NULL, &next);

		assert_in_range(n, 0, STORE_EVENTS_PAGE);
		all += n;
	}
	assert_int_equal(all, 10000);
	assert_int_equal(next, 10000);
}

/* Each person's own go; no number comes back. */
static void
test_number_of_a_person(void **state)
{
	uint64_t next;

	store_set_events_max(*state, 100);
	(void)add(*state, "hers", "alice", NOW);
	for (int i = 0; i < 320; i++)
		(void)add(*state, "his", "bob", NOW);
	assert_int_equal(count(*state, 0, "hers", &next), 1);
	assert_int_equal(count(*state, 0, "his", &next), 100);
	(void)add(*state, "his", "bob", NOW);
	assert_int_equal(count(*state, 0, "his", &next), 101);
	/* Fewer from now on: by and by. */
	store_set_events_max(*state, 10);
	for (int i = 0; i < 127; i++)
		(void)add(*state, "his", "bob", NOW);
	assert_int_equal(count(*state, 0, "his", &next), 10);
	assert_int_equal(next, 449);
}

static void
test_age(void **state)
{
	bool more;
	uint64_t next;

	for (int i = 0; i < 600; i++)
		(void)add(*state, "old", "alice", NOW);
	(void)add(*state, "new", "alice", NOW + 10);
	assert_int_equal(store_prune_events(*state, NOW, &more, NULL), SBX_OK);
	assert_false(more);
	assert_int_equal(
	    store_prune_events(*state, NOW + 1, &more, NULL), SBX_OK);
	assert_true(more);
	assert_int_equal(
	    store_prune_events(*state, NOW + 1, &more, NULL), SBX_OK);
	assert_false(more);
	assert_int_equal(count(*state, 0, NULL, &next), 1);
	/* The last one stays, so that numbers go on. */
	assert_int_equal(
	    store_prune_events(*state, NOW + 100, &more, NULL), SBX_OK);
	assert_int_equal(count(*state, 0, NULL, &next), 1);
	assert_int_equal(add(*state, "new", "alice", NOW + 11), 602);
}

/* A change and its event are there together or not at all. */
static void
test_with_its_change(void **state)
{
	struct event e = an_event("run-1", "alice", NOW);
	struct certificate c = { .serial = 1,
		.id = "gone",
		.caller = "alice",
		.key_id = "x",
		.valid_before = NOW };
	struct sandbox s = { .id = "run-1", .owner = "alice" };
	uint64_t next;

	assert_int_equal(store_add(*state, &s, 10, NULL), SBX_OK);
	assert_int_equal(store_set_state(*state, "run-1", SANDBOX_STOPPED,
			     ISOLATION_NAMESPACES, &e, NULL),
	    SBX_OK);
	assert_int_equal(e.number, 1);
	assert_int_equal(
	    store_set_refused(*state, "run-1", NOW, &e, NULL), SBX_OK);
	assert_int_equal(e.number, 2);
	assert_int_equal(
	    store_add_certificate(*state, &c, &e, &next, NULL), SBX_NOT_FOUND);
	assert_int_equal(e.number, 0);
	assert_int_equal(store_remove(*state, "run-1", &e, NULL), SBX_OK);
	assert_int_equal(e.number, 3);
	assert_int_equal(count(*state, 0, NULL, &next), 3);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_fresh, close_it)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_comes_back_as_it_went_in),
		FRESH(test_one_sandbox),
		FRESH(test_pages),
		FRESH(test_number_of_a_person),
		FRESH(test_age),
		FRESH(test_with_its_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
