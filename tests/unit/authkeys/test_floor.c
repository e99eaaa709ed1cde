/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/floor.h"
#include "tests/unit/tmpdir.h"

static const struct row {
	const char *name;
	const char *text; /* in the file; NULL: there is none */
	enum sbx_err want;
	uint64_t floor;
} rows[] = {
	{ "none yet", NULL, SBX_OK, 0 },
	{ "a time", "1790000000\n", SBX_OK, 1790000000 },
	{ "the beginning", "0\n", SBX_OK, 0 },
	{ "the latest", "18446744073709551615\n", SBX_OK, UINT64_MAX },
	{ "later than that", "18446744073709551616\n", SBX_IO, 0 },
	{ "empty", "", SBX_IO, 0 },
	{ "cut short", "17900000", SBX_OK, 17900000 },
	{ "an empty line", "\n", SBX_IO, 0 },
	{ "two lines", "1\n2\n", SBX_IO, 0 },
	{ "a sign", "-1\n", SBX_IO, 0 },
	{ "words", "yesterday\n", SBX_IO, 0 },
	{ "too long", "000000000000000000000000001\n", SBX_IO, 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct tmpdir tmpdir;
static struct state state;

static int
setup(void **pointer)
{
	(void)pointer;
	tmpdir_make(&tmpdir);
	return state_open(tmpdir.path, geteuid(), &state, NULL) == SBX_OK ? 0
									  : -1;
}

static int
teardown(void **pointer)
{
	(void)pointer;
	state_close(&state);
	tmpdir_remove(&tmpdir);
	return 0;
}

static void
test_row(void **pointer)
{
	const struct row *row = *pointer;
	struct sbx_why why = { "" };
	uint64_t floor = 1;

	assert_int_equal(setup(NULL), 0);
	if (row->text != NULL)
		assert_int_equal(file_write_atomic(state.dir, "floor", 0600,
				     VIEW_STR(row->text), NULL),
		    SBX_OK);
	assert_int_equal(floor_read(&state, &floor, &why), row->want);
	if (row->want == SBX_OK) {
		assert_int_equal(floor, row->floor);
		assert_string_equal(why.text, "");
	} else if (strstr(why.text, "/floor is damaged") == NULL) {
		fail_msg("'%s'", why.text);
	}
	(void)teardown(NULL);
}

static void
test_only_rises(void **pointer)
{
	uint64_t floor;

	(void)pointer;
	assert_int_equal(floor_raise(&state, 1000, NULL), SBX_OK);
	assert_int_equal(floor_raise(&state, 999, NULL), SBX_OK);
	assert_int_equal(floor_read(&state, &floor, NULL), SBX_OK);
	assert_int_equal(floor, 1000);
	assert_int_equal(floor_raise(&state, 1001, NULL), SBX_OK);
	assert_int_equal(floor_read(&state, &floor, NULL), SBX_OK);
	assert_int_equal(floor, 1001);
}

/* As left behind by a run that was killed, or put there. */
static void
test_leftover_new_file(void **pointer)
{
	uint64_t floor;

	(void)pointer;
	assert_int_equal(symlinkat("/dev/null", state.dir, "floor.new"), 0);
	assert_int_equal(floor_raise(&state, 1000, NULL), SBX_OK);
	assert_int_equal(floor_read(&state, &floor, NULL), SBX_OK);
	assert_int_equal(floor, 1000);
}

static void
test_damaged_is_not_replaced(void **pointer)
{
	(void)pointer;
	assert_int_equal(
	    file_write_atomic(state.dir, "floor", 0600, VIEW_STR("x\n"), NULL),
	    SBX_OK);
	assert_int_equal(floor_raise(&state, 1000, NULL), SBX_IO);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
	    test_only_rises, setup, teardown);
	tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
	    test_leftover_new_file, setup, teardown);
	tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
	    test_damaged_is_not_replaced, setup, teardown);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
