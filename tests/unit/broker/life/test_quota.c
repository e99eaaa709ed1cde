/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/life/quota.h"

#define NOW 6000000 /* a minute begins */

static void
test_a_minute(void **state)
{
	struct quota quota = QUOTA_INIT;

	(void)state;
	for (int i = 1; i < QUOTA_LINES; i++)
		assert_int_equal(quota_take(&quota, 1000, NOW), QUOTA_YES);
	assert_int_equal(quota_take(&quota, 1000, NOW + 59), QUOTA_LAST);
	assert_int_equal(quota_take(&quota, 1000, NOW + 59), QUOTA_NO);
	assert_int_equal(quota_take(&quota, 1001, NOW + 59), QUOTA_YES);
	assert_int_equal(quota_take(&quota, 1000, NOW + 60), QUOTA_YES);
}

static void
test_many_users(void **state)
{
	struct quota quota = QUOTA_INIT;

	(void)state;
	for (uid_t uid = 0; uid < QUOTA_USERS; uid++)
		assert_int_equal(quota_take(&quota, uid, NOW), QUOTA_YES);
	assert_int_equal(quota_take(&quota, 5000, NOW), QUOTA_NO);
	assert_int_equal(quota_take(&quota, 7, NOW), QUOTA_YES);
	assert_int_equal(quota_take(&quota, 5000, NOW + 60), QUOTA_YES);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_minute),
		cmocka_unit_test(test_many_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
