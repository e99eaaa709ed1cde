/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/permit.h"

struct options {
	unsigned before;
	unsigned permit;
	unsigned after;
};

static const struct field field = { .name = "permit",
	.parse = field_permit,
	.offset = offsetof(struct options, permit) };

static const struct row {
	const char *name; /* the text itself */
	enum sbx_err want;
	unsigned permit;
} rows[] = {
	{ "none", SBX_OK, 0 },
	{ "pty", SBX_OK, PERMIT_PTY },
	{ PERMIT_DEFAULT_WORDS, SBX_OK, PERMIT_DEFAULT },
	{ "pty,agent-forwarding", SBX_OK, PERMIT_PTY | PERMIT_AGENT },
	{ "  pty ,\tuser-rc, ", SBX_OK, PERMIT_PTY | PERMIT_USER_RC },
	{ "pty pty", SBX_OK, PERMIT_PTY },
	{ "X11-forwarding", SBX_OK, PERMIT_X11 },
	{ "", SBX_BAD_VALUE, 0 },
	{ " , ", SBX_BAD_VALUE, 0 },
	{ "none pty", SBX_BAD_VALUE, 0 },
	{ "PTY", SBX_BAD_VALUE, 0 },
	{ "x11-forwarding", SBX_BAD_VALUE, 0 },
	{ "permit-pty", SBX_BAD_VALUE, 0 },
	{ "pty2", SBX_BAD_VALUE, 0 },
	{ "pt", SBX_BAD_VALUE, 0 },
	{ "pty;user-rc", SBX_BAD_VALUE, 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct options options = { 77, 77, 77 };
	struct sbx_why why = { "" };

	assert_int_equal(
	    field_permit(&field, row->name, &options, &why), row->want);
	assert_int_equal(
	    options.permit, row->want == SBX_OK ? row->permit : 77);
	assert_int_equal(options.before, 77);
	assert_int_equal(options.after, 77);
	assert_int_equal(why.text[0] == '\0', row->want == SBX_OK);
}

static void
test_table(void **state)
{
	unsigned all = 0;

	(void)state;
	for (size_t i = 0; i < permit_row_count; i++) {
		const struct permit_row *row = &permit_rows[i];

		assert_int_equal(all & row->bit, 0);
		all |= row->bit;
		assert_int_equal(permit_of_word(row->word), row->bit);
		assert_memory_equal(row->extension, "permit-", 7);
		assert_string_equal(row->extension + 7, row->word);
		if (i > 0)
			assert_true(strcmp(permit_rows[i - 1].extension,
					row->extension) < 0);
	}
	assert_int_equal(permit_of_word("none"), 0);
	assert_int_equal(permit_of_word(""), 0);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 1];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_table);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
