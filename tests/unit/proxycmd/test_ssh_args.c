/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "proxycmd/ssh_args.h"

/* Words with NUL between them, and each option with its value. */
static const struct row {
	const char *name;
	struct view words;
	const char *want;
} rows[] = {
#define ROW(name, words, want)                                          \
	{                                                               \
		name, { (const uint8_t *)(words), sizeof(words) }, want \
	}
	ROW("none", "ssh\0host", ""),
	ROW("one", "ssh\0-A\0host", "A;"),
	ROW("several in a word", "ssh\0-vvA\0host", "v;v;A;"),
	ROW("a value", "ssh\0-p\0-A\0host", "p-A;"),
	ROW("a value that is joined", "ssh\0-p22\0host", "p22;"),
	ROW("a value behind others",
	    "ssh\0-vp\0"
	    "22\0host",
	    "v;p22;"),
	ROW("behind the host", "ssh\0-v\0host\0-A\0ls\0-l", "v;A;"),
	ROW("behind --", "ssh\0-v\0--\0host\0-A", "v;"),
	ROW("a lone -", "ssh\0-\0-A\0ls", "A;"),
	ROW("a value that is missing", "ssh\0-v\0-p", "v;"),
	ROW("an empty word", "ssh\0\0-A", "A;"),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf got = BUF_INIT(1024);
	struct ssh_args args = SSH_ARGS(row->words);
	struct view value;
	char letter;

	while (ssh_args_next(&args, &letter, &value))
		buf_printf(&got, "%c%.*s;", letter, (int)value.len,
		    (const char *)value.p);
	assert_string_equal(buf_text(&got), row->want);
}

static void
test_option(void **state)
{
	char value[8];

	(void)state;
	assert_true(ssh_args_option(
	    VIEW_STR("forwardagent = \"yes\""), "ForwardAgent", 8, value));
	assert_string_equal(value, "yes");
	assert_true(ssh_args_option(
	    VIEW_STR("ForwardAgent=a/long/path"), "ForwardAgent", 8, value));
	assert_string_equal(value, "a/long/");
	assert_false(ssh_args_option(
	    VIEW_STR("ForwardAgents=yes"), "ForwardAgent", 8, value));
	assert_false(ssh_args_option(
	    VIEW_STR("ForwardAgent"), "ForwardAgent", 8, value));
}

static void
test_process(void **state)
{
	cleanup_buf struct buf words = BUF_INIT(SSH_ARGS_MAX);
	cleanup_buf struct buf none = BUF_INIT(SSH_ARGS_MAX);

	(void)state;
	assert_int_not_equal(ssh_args_of(getpid(), &words).rest.len, 0);
	assert_int_equal(ssh_args_of(-1, &none).rest.len, 0);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2] = {
		cmocka_unit_test(test_option),
		cmocka_unit_test(test_process),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[2 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
