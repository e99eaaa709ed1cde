/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proxycmd/setup/include_line.h"

#define LINE "Include /s.conf"

struct row {
	const char *name;
	const char *text;
	size_t number;	   /* 0: not found */
	const char *block; /* "": for every host */
};

static const struct row rows[] = {
	{ "empty", "", 0, "" },
	{ "alone", LINE "\n", 1, "" },
	{ "without final newline", LINE, 1, "" },
	{ "CRLF", LINE "\r\nHost a\r\n", 1, "" },
	{ "after a comment", "# mine\n\n" LINE "\nHost a\n", 3, "" },
	{ "after a global option", "User me\n" LINE "\n", 2, "" },
	{ "indented", " \t" LINE " \n", 1, "" },
	{ "inside Host", "Host a\n" LINE "\n", 2, "Host a" },
	{ "inside host, indented", "  host=a\n  " LINE "\n", 2, "host=a" },
	{ "inside Host, CRLF", "Host a\r\n" LINE "\r\n", 2, "Host a" },
	{ "inside Match all", "Host a\nMATCH all\n" LINE "\n", 3, "" },
	{ "inside Match=ALL", "Match=\"ALL\" \n" LINE "\n", 2, "" },
	{ "inside Match all, a comment", "Match all # x\n" LINE "\n", 2, "" },
	{ "inside Match final all", "Match final all\n" LINE "\n", 2,
	    "Match final all" },
	{ "inside Match all exec", "Match all exec x\n" LINE "\n", 2,
	    "Match all exec x" },
	{ "inside Match *", "Match *\n" LINE "\n", 2, "Match *" },
	{ "inside Host *", "Host *\n" LINE "\n", 2, "" },
	{ "inside Host = *", "Host = *\r\n" LINE "\r\n", 2, "" },
	{ "inside Host all", "Host all\n" LINE "\n", 2, "Host all" },
	{ "inside Host * !b", "Host * !b\n" LINE "\n", 2, "Host * !b" },
	{ "inside Host *b", "Host *b\n" LINE "\n", 2, "Host *b" },
	{ "inside Host after Match all", "Match all\nHost a\n" LINE "\n", 3,
	    "Host a" },
	{ "inside both", "Host a\n" LINE "\nHost *\n" LINE "\n", 4, "" },
	{ "inside two", "Host a\n" LINE "\nHost b\n" LINE "\n", 2, "Host a" },
	{ "after Hostname", "Hostname a\n" LINE "\n", 2, "" },
	{ "after a quoted Host", "Host\"a\"\n" LINE "\n", 2, "Host\"a\"" },
	{ "longer line", LINE "2\n", 0, "" },
	{ "commented out", "#" LINE "\n", 0, "" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct include_place place = { 0 };
	bool found = include_line_find(VIEW_STR(row->text), LINE, &place);

	assert_int_equal(found, row->number != 0);
	assert_int_equal(place.number, row->number);
	assert_true(view_eq_str(place.block, row->block));
}

/* remove(add(x)) == x, whatever x is. */
static void
test_round_trip(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf added = BUF_INIT(4096), back = BUF_INIT(4096);
	struct include_place place;

	include_line_add(VIEW_STR(row->text), LINE, &added);
	assert_true(include_line_find(buf_view(&added), LINE, &place));
	assert_int_equal(place.number, 1);
	include_line_remove(buf_view(&added), &place, &back);
	assert_string_equal(buf_text(&back), row->text);
}

int
main(void)
{
	struct CMUnitTest tests[2 * ROWS];

	for (size_t i = 0; i < ROWS; i++) {
		tests[2 * i] = (struct CMUnitTest){ rows[i].name, test_row,
			NULL, NULL, (void *)&rows[i] };
		tests[2 * i + 1] = (struct CMUnitTest){ rows[i].name,
			test_round_trip, NULL, NULL, (void *)&rows[i] };
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
