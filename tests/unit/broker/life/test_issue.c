/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/life/issue.h"
#include "certs/check.h"

#define NOW 1000000
#define DAY CHECK_TTL_MAX

struct row {
	const char *name;
	uint64_t issued_after, expires_at, ttl;
	enum sbx_err want;
	struct validity validity;
};

static const struct row rows[] = {
	{ "an hour", NOW - 5000, 0, 3600, SBX_OK, { NOW - 60, NOW + 3600 } },
	{ "not before the sandbox", NOW - 5, 0, 3600, SBX_OK,
	    { NOW - 5, NOW + 3600 } },
	{ "not after the sandbox", NOW - 5000, NOW + 10, 3600, SBX_OK,
	    { NOW - 60, NOW + 10 } },
	{ "a day, backdating included", NOW - 5000, 0, DAY, SBX_OK,
	    { NOW - 60, NOW - 60 + DAY } },
	{ "a floor a little ahead", NOW + 2, 0, 3600, SBX_OK,
	    { NOW + 2, NOW + 3600 } },
	{ "a floor behind the end", NOW + 100, 0, 60, SBX_STATE, { 0, 0 } },
	{ "at the sandbox's end", NOW - 5000, NOW, 3600, SBX_STATE, { 0, 0 } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct sandbox sandbox = { .id = "run-1",
		.issued_after = row->issued_after,
		.expires_at = row->expires_at };
	struct validity got = { 0 };

	assert_int_equal(
	    issue_validity(&sandbox, NOW, row->ttl, &got, NULL), row->want);
	assert_int_equal(got.after, row->validity.after);
	assert_int_equal(got.before, row->validity.before);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
