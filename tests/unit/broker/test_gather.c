/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>

#include "broker/gather.h"

#define OTHERS 7
#define GOES 500

struct part {
	struct gather_part part;
	unsigned times;
};

static struct gather gather;
static unsigned goes, most;

static unsigned
count(const struct gather_part *first)
{
	unsigned n = 0;

	for (; first != NULL; first = first->next)
		n++;
	return n;
}

static void
work(void *context, struct gather_part *first)
{
	unsigned n = count(first);

	(void)context;
	goes++;
	most = n > most ? n : most;
	for (struct gather_part *p = first; p != NULL; p = p->next)
		((struct part *)p)->times++;
}

static unsigned
waiting(void)
{
	unsigned n;

	(void)pthread_mutex_lock(&gather.mutex);
	n = count(gather.first);
	(void)pthread_mutex_unlock(&gather.mutex);
	return n;
}

/* Nobody is told before as many as there are have come. */
static void
work_slowly(void *context, struct gather_part *first)
{
	while (waiting() < OTHERS)
		(void)sched_yield();
	work(context, first);
}

static int
make(void **state)
{
	(void)state;
	goes = most = 0;
	gather_init(&gather);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	gather_destroy(&gather);
	return 0;
}

static void
test_alone(void **state)
{
	struct part part = { .times = 0 };

	(void)state;
	for (unsigned i = 1; i < 4; i++) {
		gather_do(&gather, &part.part, work, NULL);
		assert_int_equal(part.times, i);
	}
	assert_int_equal(goes, 3);
	assert_int_equal(most, 1);
}

static void *
once(void *argument)
{
	struct part part = { .times = 0 };

	gather_do(
	    &gather, &part.part, argument == NULL ? work : work_slowly, NULL);
	return part.times == 1 ? NULL : &gather;
}

static void
test_all_who_wait_at_once(void **state)
{
	pthread_t threads[OTHERS + 1];
	void *failed = NULL;

	(void)state;
	assert_int_equal(
	    pthread_create(&threads[OTHERS], NULL, once, &goes), 0);
	for (;;) {
		bool busy;

		(void)pthread_mutex_lock(&gather.mutex);
		busy = gather.busy && gather.first == NULL;
		(void)pthread_mutex_unlock(&gather.mutex);
		if (busy)
			break;
		(void)sched_yield();
	}
	for (int i = 0; i < OTHERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, once, NULL), 0);
	for (int i = 0; i < OTHERS + 1; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(goes, 2);
	assert_int_equal(most, OTHERS);
}

static void *
often(void *argument)
{
	(void)argument;
	for (int i = 0; i < GOES; i++) {
		if (once(NULL) != NULL)
			return &gather;
	}
	return NULL;
}

static void
test_nobody_is_forgotten(void **state)
{
	pthread_t threads[OTHERS];
	void *failed = NULL;

	(void)state;
	for (int i = 0; i < OTHERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, often, NULL), 0);
	for (int i = 0; i < OTHERS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_false(gather.busy);
	assert_null(gather.first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alone),
		TEST(test_all_who_wait_at_once),
		TEST(test_nobody_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
