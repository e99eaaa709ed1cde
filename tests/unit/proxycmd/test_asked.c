/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proxycmd/asked.h"
#include "tests/unit/scratch.h"

#define NOW 1000000

static const struct alias alias = { .id = "run-1", .text = "run-1.sandbox" };
static const struct alias other = { .id = "run-10", .text = "run-10.sandbox" };

static const struct row {
	const char *name;
	const char *file; /* NULL: none */
	int want;	  /* the status; -1: not asked */
} rows[] = {
	{ "nobody asked", NULL, -1 },
	{ "asked", "42 1000000 run-1.sandbox 0\n", 0 },
	{ "refused", "42 999990 run-1.sandbox 77\n", 77 },
	{ "by another ssh", "4 1000000 run-1.sandbox 0\n", -1 },
	{ "about another", "42 1000000 run-10.sandbox 0\n", -1 },
	{ "long ago", "42 999000 run-1.sandbox 0\n", -1 },
	{ "later", "42 1000001 run-1.sandbox 0\n", -1 },
	{ "no status", "42 1000000 run-1.sandbox \n", -1 },
	{ "nonsense", "what", -1 },
	{ "empty", "", -1 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	int status = -1;

	assert_true(row->file == NULL ||
	    scratch_write(ASKED_FILE, 0600, VIEW_STR(row->file)));
	assert_int_equal(asked_find(scratch_path, &alias, 42, NOW, &status),
	    row->want != -1);
	assert_int_equal(status, row->want);
}

static void
test_there_and_back(void **state)
{
	int status = -1;

	(void)state;
	asked_put("/nowhere", &alias, 42, NOW, 0);
	asked_put(scratch_path, &other, 42, NOW, 1);
	asked_put(scratch_path, &alias, 42, NOW, 69);
	assert_true(asked_find(scratch_path, &alias, 42, NOW + 9, &status));
	assert_int_equal(status, 69);
	assert_false(asked_find(scratch_path, &other, 42, NOW, &status));
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 1] = { cmocka_unit_test_setup_teardown(
	    test_there_and_back, scratch_enter, scratch_leave) };

	for (size_t i = 0; i < ROWS; i++)
		tests[1 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			scratch_enter, scratch_leave, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
