/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/life/watch.h"

#define ALICE 1000
#define LONG 60000

static struct watch *watch;
static int pair[2];

static int
make(void **state)
{
	(void)state;
	return watch_new(&watch) == SBX_OK &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0
	    ? 0
	    : -1;
}

static int
unmake(void **state)
{
	(void)state;
	watch_free(watch);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}

static struct watcher *
begin(void)
{
	struct watcher *w = NULL;

	assert_int_equal(watch_begin(watch, ALICE, &w, NULL), SBX_OK);
	return w;
}

/* What happened between begin and wait is not missed, and told once. */
static void
test_woken(void **state)
{
	struct watcher *w = begin();

	(void)state;
	watch_wake(watch);
	watch_wake(watch);
	assert_true(watch_wait(w, pair[0], LONG));
	assert_false(watch_wait(w, pair[0], 1));
	watch_end(w);
}

static void *
hang_up(void *argument)
{
	(void)argument;
	(void)shutdown(pair[1], SHUT_RDWR);
	return NULL;
}

static void
test_caller_goes(void **state)
{
	struct watcher *w = begin();
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, hang_up, NULL), 0);
	assert_false(watch_wait(w, pair[0], LONG));
	assert_int_equal(pthread_join(thread, NULL), 0);
	watch_end(w);
}

static void
test_closed(void **state)
{
	struct watcher *w = begin();

	(void)state;
	watch_close(watch);
	assert_false(watch_wait(w, pair[0], LONG));
	watch_end(w);
	/* Later ones, too. */
	w = begin();
	assert_false(watch_wait(w, pair[0], LONG));
	watch_end(w);
}

static void
test_limit(void **state)
{
	struct watcher *w[WATCH_MAX], *other = NULL;

	(void)state;
	for (int i = 0; i < WATCH_MAX; i++)
		w[i] = begin();
	assert_int_equal(
	    watch_begin(watch, ALICE, &other, NULL), SBX_UNAVAILABLE);
	assert_int_equal(watch_begin(watch, ALICE + 1, &other, NULL), SBX_OK);
	watch_end(other);
	watch_end(w[3]);
	w[3] = begin();
	for (int i = 0; i < WATCH_MAX; i++)
		watch_end(w[i]);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_woken),
		FRESH(test_caller_goes),
		FRESH(test_closed),
		FRESH(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
