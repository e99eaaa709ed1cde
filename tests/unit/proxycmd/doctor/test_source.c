/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proxycmd/doctor/source.h"
#include "tests/unit/scratch.h"

#define AT "debug1: config line "
#define MATCH "debug3: config line "
#define AGAIN "debug1: re-parsing configuration\n"

/* A config, what ssh says of its Host and Match lines, where User is set. */
static const struct row {
	const char *name;
	const char *config;
	const char *trace;
	const char *want; /* LINE VALUE,... */
} rows[] = {
	{ "before any block", "User a\n", "", "1 a," },
	{ "Host that holds", "Host x\nUser a\n",
	    AT "1: Applying options for x\n", "2 a," },
	{ "Host that does not", "Host x\nUser a\n", "", "" },
	{ "Host of another line", "Host x\nUser a\n",
	    AT "11: Applying options for x\n", "" },
	{ "Match all", "Host x\nMatch all\nUser a\n", "", "3 a," },
	{ "Match that holds", "Match host x exec y\nUser a\n",
	    MATCH "1: matched 'host x'\n" MATCH "1: matched 'exec y'\n",
	    "2 a," },
	{ "Match that holds in part", "Match host x exec y\nUser a\n",
	    MATCH "1: matched 'host x'\n" MATCH "1: not matched 'exec y'\n",
	    "" },
	{ "Match that ssh did not come to", "Match host x\nUser a\n", "", "" },
	{ "several", "User a\nuser=b\nPort 1\nUSER \"c\"\n", "",
	    "1 a,2 b,4 \"c\"," },
	{ "Include", "Include inc\nUser b\n", "", "2 b,1 inc," },
	{ "Include in a block that holds", "Host x\nInclude inc\n",
	    AT "1: Applying options for x\n", "1 inc," },
	{ "Include in one that does not", "Host x\nInclude inc\n", "", "" },
	{ "a block ends with its file", "Include host\nUser b\n", "", "2 b," },
	{ "a second reading", "Match final\nUser a\n",
	    MATCH "1: not matched 'final'\n" AGAIN MATCH "1: matched 'final'\n",
	    "2 a," },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf trace = BUF_INIT(4096), list = BUF_INIT(4096);
	struct source source;
	char want[64];

	assert_true(scratch_write("config", 0600, VIEW_STR(row->config)));
	assert_int_equal(mkdir(".ssh", 0700), 0);
	assert_true(scratch_write(".ssh/inc", 0600, VIEW_STR("User inc\n")));
	assert_true(
	    scratch_write(".ssh/host", 0600, VIEW_STR("Host y\nUser z\n")));
	buf_put_text(&trace, row->trace);
	source_list(&trace, "config", scratch_path, &list);
	for (const char *w = row->want; *w != '\0'; w = strchr(w, ',') + 1) {
		bool found = false;

		(void)snprintf(
		    want, sizeof(want), "%.*s", (int)strcspn(w, ","), w);
		for (size_t n = 0; source_find_nth(&list, "User", n, &source);
		     n++) {
			char got[512];

			(void)snprintf(got, sizeof(got), "%s %s",
			    strrchr(source.place, ':') + 1, source.value);
			found = found || strcmp(got, want) == 0;
		}
		assert_true(found);
	}
	if (*row->want == '\0')
		assert_false(
		    source_find_nth(&list, "user", /* n= */ 0, &source));
}

static void
test_older_name(void **state)
{
	cleanup_buf struct buf trace = BUF_INIT(64), list = BUF_INIT(4096);
	struct source source;

	(void)state;
	assert_true(scratch_write(
	    "config", 0600, VIEW_STR("# x\nPubkeyAcceptedKeyTypes  +a # b\n")));
	source_list(&trace, "config", scratch_path, &list);
	assert_true(source_find_nth(
	    &list, "PubkeyAcceptedAlgorithms", /* n= */ 0, &source));
	assert_string_equal(source.option, "pubkeyacceptedalgorithms");
	assert_string_equal(source.place, "config:2");
	assert_string_equal(source.value, "+a # b");
	assert_false(source_find_nth(
	    &list, "PubkeyAcceptedAlgorithms", /* n= */ 1, &source));
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 1] = { cmocka_unit_test_setup_teardown(
	    test_older_name, scratch_enter, scratch_leave) };

	for (size_t i = 0; i < ROWS; i++)
		tests[1 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			scratch_enter, scratch_leave, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
