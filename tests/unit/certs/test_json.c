/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/json.h"

static const struct row {
	const char *name; /* the string itself */
	const char *want;
} rows[] = {
	{ "", "\"\"" },
	{ "plain text", "\"plain text\"" },
	{ "quote \" and \\", "\"quote \\\" and \\\\\"" },
	{ "line\nend\t\r", "\"line\\u000aend\\u0009\\u000d\"" },
	{ "\33[2J\177", "\"\\u001b[2J\\u007f\"" },
	{ "\303\251", "\"\\u00e9\"" },
	{ "\302\205 C1", "\"\\u0085 C1\"" },
	{ "\342\202\254", "\"\\u20ac\"" },
	{ "\360\237\230\200!", "\"\\ud83d\\ude00!\"" },
	{ "\364\217\277\277", "\"\\udbff\\udfff\"" },
	/* not UTF-8: cut short, overlong, surrogate, too large, stray */
	{ "\303", "\"\\ufffd\"" },
	{ "\342\202x", "\"\\ufffd\\ufffdx\"" },
	{ "\300\257", "\"\\ufffd\\ufffd\"" },
	{ "\340\200\257", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\364\220\200\200", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ "a\200\377b", "\"a\\ufffd\\ufffdb\"" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf out = BUF_INIT(1024);

	json_put_string(&out, VIEW_STR(row->name));
	assert_int_equal(buf_error(&out), SBX_OK);
	assert_string_equal(buf_text(&out), row->want);
}

static void
test_nul(void **state)
{
	cleanup_buf struct buf out = BUF_INIT(1024);

	(void)state;
	json_put_string(&out, VIEW("a\0b", 3));
	assert_string_equal(buf_text(&out), "\"a\\u0000b\"");
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 1];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].want, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_nul);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
