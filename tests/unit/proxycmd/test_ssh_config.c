/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/text.h"
#include "proxycmd/ssh_config.h"
#include "tests/unit/scratch.h"

/* One line, what is made of it: keyword and arguments, each in <>. */
static const struct row {
	const char *name;
	const char *line;
	const char *want;
} rows[] = {
	{ "plain", "User me", "<user><me>" },
	{ "indented", "\t  User\tme \t", "<user><me>" },
	{ "CRLF", "User me\r", "<user><me>" },
	{ "equals", "User=me", "<user><me>" },
	{ "equals with blanks", "User = me", "<user><me>" },
	{ "only one equals", "SetEnv==x", "<setenv><=x>" },
	{ "several", "Host a  b !c", "<host><a><b><!c>" },
	{ "quoted", "User \"a b\" c", "<user><a b><c>" },
	{ "quoted at once", "User\"a b\"", "<user><a b>" },
	{ "quoted in part", "User a\" \"b", "<user><a b>" },
	{ "single quotes", "User 'a \"b'", "<user><a \"b>" },
	{ "escaped", "User a\\\"b", "<user><a\"b>" },
	{ "a comment behind", "User me # you", "<user><me>" },
	{ "no comment", "User me#you", "<user><me#you>" },
	{ "keyword alone", "User", "<user>" },
	{ "a comment", "  # User me", "" },
	{ "nothing", " \t\r", "" },
	{ "no keyword at all",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaa x",
	    "" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool
put_line(void *context, const struct ssh_config_line *line)
{
	struct buf *ret = context;
	struct view rest = line->rest;
	char word[64];

	if (line->number == 0)
		return true;
	buf_printf(ret, "<%s>", line->keyword);
	while (ssh_config_next(&rest, sizeof(word), word))
		buf_printf(ret, "<%s>", word);
	return true;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf got = BUF_INIT(4096);

	assert_true(scratch_write("config", 0600, VIEW_STR(row->line)));
	assert_true(ssh_config_read("config", "/nowhere", put_line, &got));
	assert_string_equal(buf_text(&got), row->want);
}

static bool
put_place(void *context, const struct ssh_config_line *line)
{
	struct buf *ret = context;
	const char *name = strrchr(line->file, '/');

	buf_printf(ret, "%zu%s:%zu%s ", line->depth,
	    name == NULL ? line->file : name + 1, line->number, line->keyword);
	return strcmp(line->keyword, "stop") != 0;
}

/* read CONFIG: what put_place says of it */
static bool
read_places(const char *config, struct buf *ret)
{
	assert_true(scratch_write("config", 0600, VIEW_STR(config)));
	return ssh_config_read("config", scratch_path, put_place, ret);
}

static void
test_include(void **state)
{
	cleanup_buf struct buf got = BUF_INIT(4096);

	(void)state;
	assert_int_equal(mkdir(".ssh", 0700), 0);
	assert_int_equal(mkdir(".ssh/d", 0700), 0);
	assert_true(scratch_write(".ssh/a", 0600, VIEW_STR("A 1\n")));
	assert_true(scratch_write(".ssh/d/1", 0600, VIEW_STR("B 1\n")));
	assert_true(scratch_write(".ssh/d/2", 0600, VIEW_STR("\nInclude a\n")));
	assert_true(read_places(
	    "User x\ninclude a none \"d/*\"\nInclude d\nPort 1\n", &got));
	assert_string_equal(buf_text(&got),
	    "0config:0 0config:1user 0config:2include 1a:0 1a:1a "
	    "11:0 11:1b 12:0 12:2include 2a:0 2a:1a "
	    "0config:3include 0config:4port ");
}

static void
test_loop_ends(void **state)
{
	cleanup_buf struct buf got = BUF_INIT(65536);
	char config[512];

	(void)state;
	(void)snprintf(config, sizeof(config), "Include %s/config\nUser x\n",
	    scratch_path);
	assert_true(read_places(config, &got));
	assert_non_null(strstr(buf_text(&got), "16config:2user"));
	assert_null(strstr(buf_text(&got), "17config"));
}

static void
test_stop(void **state)
{
	cleanup_buf struct buf got = BUF_INIT(4096);

	(void)state;
	assert_false(read_places("User x\nStop it\nPort 1\n", &got));
	assert_string_equal(
	    buf_text(&got), "0config:0 0config:1user 0config:2stop ");
	assert_true(ssh_config_read("missing", "/nowhere", put_place, &got));
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3] = {
		cmocka_unit_test_setup_teardown(
		    test_include, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_loop_ends, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_stop, scratch_enter, scratch_leave),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			scratch_enter, scratch_leave, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
