/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proxycmd/second_pass.h"
#include "tests/unit/scratch.h"

static const struct row {
	const char *name;
	const char *config;
	size_t line; /* that forbids it; 0: harmless */
} rows[] = {
	{ "nothing", "", 0 },
	{ "no HostName", "Host a *.b !c\nHost *\nUser x\n", 0 },
	{ "a name that nothing else fits",
	    "Host a\nHostName a.corp\nHost b *.org\nHost *\nUser x\n", 0 },
	{ "a bastion",
	    "Host bastion\nHostName b.corp\nHost * !bastion\nProxyJump x\n",
	    2 },
	{ "a domain", "Host *.corp\nUser x\nHost a\nHostName a.corp\n", 4 },
	{ "a domain, in capitals", "Host *.CORP\nHost a\nHostName a.Corp\n",
	    3 },
	{ "a domain that is for both",
	    "Host a *.corp\nUser x\nHost a\nHostName a.corp\n", 0 },
	{ "a domain in Match", "Host a\nHostName a.corp\nMatch host b,*.corp\n",
	    2 },
	{ "a domain in Match originalhost",
	    "Host a\nHostName a.corp\nMatch originalhost *.corp\n", 0 },
	{ "one of two names", "Host a b\nHostName a.corp\nHost !b *.corp\n",
	    2 },
	{ "an address", "Host a\nHostName 10.0.0.1\nHost 10.*\n", 2 },
	{ "a sandbox", "Host dev\nHostName run-1.sandbox\nHost *.sandbox\n",
	    0 },
	{ "%h", "Host *\nHostName %h\n", 0 },
	{ "%h and more", "Host a\nHostName %h.corp\n", 2 },
	{ "of several", "Host a*\nHostName x\n", 2 },
	{ "of all", "HostName x\n", 1 },
	{ "in a Match", "Match all\nHostName x\n", 2 },
	{ "in an Include", "Host a\nInclude name\nHost *.corp\n", 1 },
	{ "Match user", "Match user x\n", 1 },
	{ "Match exec", "Match host x exec y\n", 1 },
	{ "Match exec of ours",
	    "Match host \"*.sandbox,!*'*\" exec \"prepare '%h'\"\n", 0 },
	{ "Match final", "Match final all\n", 1 },
	{ "Match final of ours", SECOND_PASS_LINE, 0 },
	{ "Match all", "Match all\nUser x\n", 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	char place[SECOND_PASS_PLACE];

	assert_int_equal(mkdir(".ssh", 0700), 0);
	assert_true(scratch_write(".ssh/config", 0600, VIEW_STR(row->config)));
	assert_true(
	    scratch_write(".ssh/name", 0600, VIEW_STR("HostName a.corp\n")));
	assert_int_equal(
	    second_pass_is_harmless(scratch_path, place), row->line == 0);
	if (row->line != 0)
		assert_int_equal(
		    strtol(strrchr(place, ':') + 1, NULL, 10), row->line);
	else
		assert_string_equal(place, "");
}

static void
test_note(void **state)
{
	(void)state;
	assert_false(second_pass_is_noted(AT_FDCWD));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    second_pass_note(AT_FDCWD, scratch_path, NULL), SBX_OK);
		assert_true(second_pass_is_noted(AT_FDCWD));
	}
	assert_int_equal(mkdir(".ssh", 0700), 0);
	assert_true(
	    scratch_write(".ssh/config", 0600, VIEW_STR("Match user x\n")));
	assert_int_equal(
	    second_pass_note(AT_FDCWD, scratch_path, NULL), SBX_OK);
	assert_false(second_pass_is_noted(AT_FDCWD));
}

/* So many that they are not compared one by one. */
static void
test_many(void **state)
{
	cleanup_buf struct buf config = BUF_INIT(262144);
	char place[SECOND_PASS_PLACE];

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_printf(&config, "Host a%d\nHostName b%d\n", i, i);
	assert_int_equal(mkdir(".ssh", 0700), 0);
	assert_true(scratch_write(".ssh/config", 0600, buf_view(&config)));
	assert_false(second_pass_is_harmless(scratch_path, place));
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2] = {
		cmocka_unit_test_setup_teardown(
		    test_many, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_note, scratch_enter, scratch_leave),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[2 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			scratch_enter, scratch_leave, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
