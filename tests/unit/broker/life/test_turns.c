/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include "broker/life/turns.h"

#define CALLERS 20

static const struct starter alice = { 1000, false, "alice" };
static const struct starter bob = { 1001, false, "bob" };
static const struct starter unlimited = { TURN_UNLIMITED, false, "root" };

static struct turns *turns;
static sem_t may_end;
static int started, inside, most_inside;

static int
make(void **state)
{
	(void)state;
	started = inside = most_inside = 0;
	(void)sem_init(&may_end, 0, 0);
	return turns_new(&turns) == SBX_OK ? 0 : -1;
}

static int
unmake(void **state)
{
	(void)state;
	if (!turns_drain(turns, 60))
		return -1;
	turns_free(turns);
	(void)sem_destroy(&may_end);
	return 0;
}

static enum sbx_err
job(void *context, const char *id, const struct starter *starter,
    struct sbx_why *why)
{
	const enum sbx_err *result = context;

	(void)starter;
	(void)__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (sem_wait(&may_end) < 0)
		;
	return *result == SBX_OK ? SBX_OK
				 : sbx_fail(why, *result, "%s fails", id);
}

static void *
ask(void *argument)
{
	enum sbx_err result = SBX_OK;
	bool done = false;

	(void)argument;
	if (turns_start(turns, "a", &alice, 60, job, &result, &done, NULL) !=
		SBX_OK ||
	    !done)
		return &turns;
	return NULL;
}

static void
test_many_wait_for_a_start(void **state)
{
	static enum sbx_err result = SBX_OK;
	pthread_t threads[CALLERS];
	bool done;

	(void)state;
	assert_int_equal(
	    turns_start(turns, "a", &alice, 0, job, &result, &done, NULL),
	    SBX_OK);
	assert_false(done);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, ask, NULL), 0);
	/* A token each, for those that come after its end and begin another. */
	for (int i = 0; i < CALLERS + 1; i++)
		(void)sem_post(&may_end);
	for (int i = 0; i < CALLERS; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

/* Whoever has many sandboxes does not start all of them at once. */
static void
test_starts_have_a_limit(void **state)
{
	static enum sbx_err result = SBX_OK;
	struct sbx_why why = { "" };
	char id[8] = "";
	bool done;

	(void)state;
	for (int i = 0; i < TURN_STARTS; i++) {
		(void)snprintf(id, sizeof(id), "a-%d", i);
		assert_int_equal(turns_start(turns, id, &alice, 0, job, &result,
				     &done, NULL),
		    SBX_OK);
	}
	assert_int_equal(
	    turns_start(turns, "b", &alice, 0, job, &result, &done, &why),
	    SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, "16 of your sandboxes"));
	/* One that is under way, others, and root. */
	assert_int_equal(
	    turns_start(turns, id, &alice, 0, job, &result, &done, NULL),
	    SBX_OK);
	assert_int_equal(
	    turns_start(turns, "b", &bob, 0, job, &result, &done, NULL),
	    SBX_OK);
	assert_int_equal(
	    turns_start(turns, "c", &unlimited, 0, job, &result, &done, NULL),
	    SBX_OK);
	for (int i = 0; i < TURN_STARTS + 3; i++)
		(void)sem_post(&may_end);
	assert_true(turns_drain(turns, 60));
	assert_int_equal(
	    turns_start(turns, "d", &alice, 60, job, &result, &done, NULL),
	    SBX_OK);
}

static void *
make_one(void *argument)
{
	enum sbx_err *ret = argument;

	*ret = turn_make(turns, alice.person, NULL);
	if (*ret == SBX_OK)
		turn_made(turns, alice.person);
	return NULL;
}

/* A creation is one of them, and waits for its place. */
static void
test_creations_count(void **state)
{
	static enum sbx_err result = SBX_OK;
	enum sbx_err err = SBX_INTERNAL;
	pthread_t thread;
	bool done;

	(void)state;
	for (int i = 0; i < TURN_STARTS; i++)
		assert_int_equal(turn_make(turns, alice.person, NULL), SBX_OK);
	assert_int_equal(
	    turns_start(turns, "b", &alice, 0, job, &result, &done, NULL),
	    SBX_UNAVAILABLE);
	assert_int_equal(turn_make(turns, bob.person, NULL), SBX_OK);
	assert_int_equal(turn_make(turns, TURN_UNLIMITED, NULL), SBX_OK);
	assert_int_equal(pthread_create(&thread, NULL, make_one, &err), 0);
	turn_made(turns, alice.person);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(err, SBX_OK);
	turn_made(turns, bob.person);
	turn_made(turns, TURN_UNLIMITED);
	for (int i = 1; i < TURN_STARTS; i++)
		turn_made(turns, alice.person);
}

static void
test_joined_start_is_one(void **state)
{
	static enum sbx_err result = SBX_STATE;
	struct sbx_why why = { "" };
	bool done;

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(turns_start(turns, "a", &alice, 0, job,
				     &result, &done, NULL),
		    SBX_OK);
		assert_false(done);
	}
	assert_int_equal(
	    turns_start(turns, "b", &alice, 0, job, &result, &done, NULL),
	    SBX_OK);
	(void)sem_post(&may_end);
	(void)sem_post(&may_end);
	assert_true(turns_drain(turns, 60));
	assert_int_equal(started, 2);
	(void)sem_post(&may_end);
	assert_int_equal(
	    turns_start(turns, "a", &alice, 60, job, &result, &done, &why),
	    SBX_STATE);
	assert_true(done);
	assert_string_equal(why.text, "a fails");
}

static void *
take_turns(void *argument)
{
	for (int i = 0; i < 100; i++) {
		int now;

		if (turn_take(turns, "a", NULL) != SBX_OK)
			return argument;
		now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		if (now > most_inside)
			most_inside = now;
		(void)sched_yield(); /* a chance for others to intrude */
		(void)__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		turn_give(turns, "a");
	}
	return NULL;
}

static void
test_one_at_a_time(void **state)
{
	pthread_t threads[CALLERS];

	(void)state;
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, take_turns, turns), 0);
	for (int i = 0; i < CALLERS; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(most_inside, 1);
}

static void
test_try(void **state)
{
	(void)state;
	assert_true(turn_try(turns, "a"));
	assert_false(turn_try(turns, "a"));
	assert_true(turn_try(turns, "b"));
	turn_give(turns, "a");
	assert_true(turn_try(turns, "a"));
	turn_give(turns, "a");
	turn_give(turns, "b");
}

static void *
wait_for_turn(void *argument)
{
	return turn_take(turns, "a", NULL) == SBX_UNAVAILABLE ? NULL : argument;
}

static void
test_close(void **state)
{
	static enum sbx_err result = SBX_OK;
	void *failed = NULL;
	pthread_t thread;
	bool done;

	(void)state;
	assert_true(turn_try(turns, "a"));
	assert_int_equal(
	    pthread_create(&thread, NULL, wait_for_turn, turns), 0);
	turns_close(turns);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(
	    turns_start(turns, "a", &alice, 9, job, &result, &done, NULL),
	    SBX_UNAVAILABLE);
	assert_false(turn_try(turns, "b"));
	turn_give(turns, "a");
}

static bool enough;

static void *
share_again_and_again(void *argument)
{
	while (!__atomic_load_n(&enough, __ATOMIC_SEQ_CST)) {
		if (turn_share(turns, "a", NULL) != SBX_OK)
			return argument;
		(void)__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		(void)sched_yield();
		(void)__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		turn_give(turns, "a");
	}
	return NULL;
}

/* However many share it, and never let go of it all at once. */
static void
test_who_wants_it_alone_gets_it(void **state)
{
	pthread_t threads[CALLERS];
	void *failed = NULL;

	(void)state;
	enough = false;
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     share_again_and_again, &turns),
		    0);
	while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == 0)
		(void)sched_yield();
	for (int i = 0; i < 20; i++) {
		if (i % 2 == 0)
			assert_int_equal(turn_take(turns, "a", NULL), SBX_OK);
		else
			assert_true(turn_try(turns, "a"));
		assert_int_equal(inside, 0);
		turn_give(turns, "a");
	}
	__atomic_store_n(&enough, true, __ATOMIC_SEQ_CST);
	for (int i = 0; i < CALLERS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
test_shared(void **state)
{
	(void)state;
	assert_int_equal(turn_share(turns, "a", NULL), SBX_OK);
	assert_true(turn_try_share(turns, "a"));
	assert_true(turn_try(turns, "b"));
	assert_false(turn_try_share(turns, "b"));
	turn_give(turns, "a");
	turn_give(turns, "a");
	assert_true(turn_try(turns, "a"));
	assert_false(turn_try(turns, "a"));
	assert_false(turn_try_share(turns, "a"));
	turn_give(turns, "a");
	turn_give(turns, "b");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_wait_for_a_start),
		TEST(test_joined_start_is_one),
		TEST(test_starts_have_a_limit),
		TEST(test_creations_count),
		TEST(test_one_at_a_time),
		TEST(test_try),
		TEST(test_shared),
		TEST(test_who_wants_it_alone_gets_it),
		TEST(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
