/* SPDX-License-Identifier: ISC */
#include "broker/life/look.h"
#include "tests/unit/cases.h"

struct row {
	const char *name;
	uint64_t left, warning, until;
};

static const struct row rows[] = {
	{ "an hour", 3600, 0, 3300 },
	{ "a second too early", 301, 0, 1 },
	{ "five minutes", 300, 300, 240 },
	{ "less", 299, 300, 239 },
	{ "just before the last", 61, 300, 1 },
	{ "a minute", 60, 60, 0 },
	{ "a second", 1, 60, 0 },
};

static void
test_row(void **state)
{
	const struct row *row = *state;

	assert_int_equal(look_warning(row->left), row->warning);
	assert_int_equal(look_until(row->left), row->until);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	return cases_run("look");
}
