/* SPDX-License-Identifier: ISC */
#include "common/err.h"

#include <ctype.h>
#include <string.h>

#include "tests/unit/cases.h"

static const struct {
	const char *name;
	enum sbx_err err;
	int status;
} rows[] = {
	{ "success is 0", SBX_OK, 0 },
	{ "usage is 64", SBX_USAGE, 64 },
	{ "a wrong name is usage", SBX_BAD_NAME, 64 },
	{ "bad data is 65", SBX_BAD_VALUE, 65 },
	{ "no such sandbox is 66", SBX_NOT_FOUND, 66 },
	{ "unavailable is 69", SBX_UNAVAILABLE, 69 },
	{ "timed out is 75", SBX_TIMEOUT, 75 },
	{ "refused is 77", SBX_REFUSED, 77 },
	{ "configuration is 78", SBX_CONFIG, 78 },
	{ "untrusted file is configuration", SBX_UNTRUSTED, 78 },
};

static void
test_status(void **state)
{
	const __typeof__(rows[0]) *row = *state;

	assert_int_equal(sbx_err_exit(row->err), row->status);
}

static void
names_are_words_and_come_back(void **state)
{
	(void)state;
	for (int i = 0; i < SBX_ERR_COUNT; i++) {
		const char *name = sbx_err_name((enum sbx_err)i);
		enum sbx_err found = SBX_ERR_COUNT;

		assert_true(strlen(name) > 0);
		for (const char *c = name; *c != '\0'; c++)
			assert_true(islower((unsigned char)*c) || *c == '-');
		/* the first of that name: so names are unique */
		assert_true(sbx_err_find(name, &found));
		assert_int_equal(found, i);
	}
}

static void
only_success_exits_with_0(void **state)
{
	(void)state;
	for (int i = 1; i < SBX_ERR_COUNT; i++) {
		assert_in_range(
		    sbx_err_exit((enum sbx_err)i), EX__BASE, EX__MAX);
		assert_true(strlen(sbx_err_text((enum sbx_err)i)) > 0);
	}
}

static void
unknown_name_sets_nothing(void **state)
{
	enum sbx_err found = SBX_TIMEOUT;

	(void)state;
	assert_false(sbx_err_find("no-such-error", &found));
	assert_false(sbx_err_find("", &found));
	assert_false(sbx_err_find("OK", &found));
	assert_int_equal(found, SBX_TIMEOUT);
}

static void
number_out_of_range_is_internal(void **state)
{
	(void)state;
	assert_string_equal(sbx_err_name(SBX_ERR_COUNT), "internal");
	assert_string_equal(sbx_err_name((enum sbx_err) - 1), "internal");
	assert_int_equal(sbx_err_exit((enum sbx_err)12345), EX_SOFTWARE);
}

static void
why_is_filled_in(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_string_equal(
	    sbx_why_text(&why, SBX_EXPIRED), "certificate has expired");
	assert_string_equal(
	    sbx_why_text(NULL, SBX_EXPIRED), "certificate has expired");
	assert_int_equal(
	    sbx_fail(&why, SBX_EXPIRED, "%s: %d", "a", 7), SBX_EXPIRED);
	assert_string_equal(sbx_why_text(&why, SBX_EXPIRED), "a: 7");
	assert_int_equal(sbx_fail(NULL, SBX_IO, "%s", "x"), SBX_IO);
}

static void
long_why_is_cut(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(sbx_fail(&why, SBX_IO, "%2000s", "x"), SBX_IO);
	assert_int_equal(strlen(why.text), SBX_WHY_MAX - 1);
}

int
main(void)
{
	CASE_ROWS(rows, test_status);
	CASE(names_are_words_and_come_back);
	CASE(only_success_exits_with_0);
	CASE(unknown_name_sets_nothing);
	CASE(number_out_of_range_is_internal);
	CASE(why_is_filled_in);
	CASE(long_why_is_cut);
	return cases_run("err");
}
