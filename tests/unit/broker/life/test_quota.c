/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/life/quota.h"

#define NOW 6000000 /* a minute begins */
#define REFUSED QUOTA_REFUSED

static void
test_a_minute(void **state)
{
	struct quota quota = QUOTA_INIT;

	(void)state;
	for (int i = 1; i < QUOTA_LINES_REFUSED; i++)
		assert_int_equal(
		    quota_take(&quota, 1000, REFUSED, NOW), QUOTA_YES);
	assert_int_equal(
	    quota_take(&quota, 1000, REFUSED, NOW + 59), QUOTA_LAST);
	assert_int_equal(quota_take(&quota, 1000, REFUSED, NOW + 59), QUOTA_NO);
	assert_int_equal(
	    quota_take(&quota, 1001, REFUSED, NOW + 59), QUOTA_YES);
	assert_int_equal(
	    quota_take(&quota, 1000, REFUSED, NOW + 60), QUOTA_YES);
	quota_free(&quota);
}

/* Whoever was refused often enough could hide what they do. */
static void
test_what_is_done_is_told(void **state)
{
	struct quota quota = QUOTA_INIT;

	(void)state;
	while (quota_take(&quota, 1000, REFUSED, NOW) != QUOTA_NO)
		;
	for (int i = 1; i < QUOTA_LINES_DONE; i++)
		assert_int_equal(
		    quota_take(&quota, 1000, QUOTA_DONE, NOW), QUOTA_YES);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_DONE, NOW), QUOTA_LAST);
	assert_int_equal(quota_take(&quota, 1000, QUOTA_DONE, NOW), QUOTA_NO);
	quota_free(&quota);
}

/* However many have called before. */
static void
test_many_users(void **state)
{
	struct quota quota = QUOTA_INIT;

	(void)state;
	for (uid_t uid = 0; uid < 10000; uid++)
		assert_int_equal(
		    quota_take(&quota, uid, REFUSED, NOW), QUOTA_YES);
	for (int i = 2; i < QUOTA_LINES_REFUSED; i++)
		assert_int_equal(
		    quota_take(&quota, 7, REFUSED, NOW), QUOTA_YES);
	assert_int_equal(quota_take(&quota, 7, REFUSED, NOW), QUOTA_LAST);
	assert_int_equal(quota_take(&quota, 7, REFUSED, NOW), QUOTA_NO);
	assert_int_equal(quota_take(&quota, 7, REFUSED, NOW + 60), QUOTA_YES);
	quota_free(&quota);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_minute),
		cmocka_unit_test(test_what_is_done_is_told),
		cmocka_unit_test(test_many_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
