/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "broker/life/overlap.h"

#include "tests/unit/cases.h"

static const struct row {
	const char *name;
	const char *text;
	bool want;
} rows[] = {
	{ "nothing", "", false },
	{ "below", "alice:100000:65536\n", false },
	{ "up to it", "alice:199000:1000\n", false },
	{ "its first", "alice:199000:1001\n", true },
	{ "within", "alice:201000:10\n", true },
	{ "its last", "alice:204095:1\n", true },
	{ "behind it", "alice:204096:65536\n", false },
	{ "all around", "alice:1:1000000\n", true },
	{ "the second", "bob:100000:65536\nalice:200000:4096\n", true },
	{ "a comment", "#alice:200000:4096\n", false },
	{ "none of it", "alice:200000:0\n", false },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct broker_settings settings = { .uid_range = { 200000, 4096 } };
	struct sbx_why why = { "" };

	assert_int_equal(
	    overlap_in(&settings, "/etc/subuid", VIEW_STR(row->text), &why),
	    row->want);
	assert_int_equal(strstr(why.text, " alice:") != NULL, row->want);
	settings.uid_range.count = 0;
	assert_false(
	    overlap_in(&settings, "/etc/subuid", VIEW_STR(row->text), &why));
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	return cases_run("overlap");
}
