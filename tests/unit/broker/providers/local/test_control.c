/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "broker/providers/local/control.h"
#include "tests/unit/cases.h"

struct row {
	const char *name;
	const char *text;
	bool known;
	uint64_t idle;
	size_t count;
	struct provider_session first;
};

static const struct row rows[] = {
	{ "nothing, as of an earlier release", "", false, 0, 0, { 0 } },
	{ "nobody", "idle 90\n", true, 90, 0, { 0 } },
	{ "somebody", "idle 0\nsession 60 5 171 pts/0,pts/2 192.0.2.1 a/b/c\n",
	    true, 0, 1, { 60, 5, 171, "a/b/c", "pts/0,pts/2", "192.0.2.1" } },
	{ "of whom little is known", "idle 0\nsession 60 - - - - -\n", true, 0,
	    1, { 60, PROVIDER_UNKNOWN, 0, "", "", "" } },
	{ "two", "idle 0\nsession 1 - - - - a\nsession 2 - - - - b\n", true, 0,
	    2, { 1, PROVIDER_UNKNOWN, 0, "a", "", "" } },
	{ "words of a later release", "later 7\nidle 3 seconds\n", true, 3, 0,
	    { 0 } },
	{ "no number", "idle x\n", false, 0, 0, { 0 } },
	{ "too large a number", "idle 9223372036854775808\n", false,
	    9223372036854775808U, 0, { 0 } },
	{ "what is no text", "idle 0\nsession 1 - - - - a\xff\n", true, 0, 0,
	    { 1, PROVIDER_UNKNOWN, 0, "a\xff", "", "" } },
	{ "a control character", "idle 0\nsession 1 - - - - a\033c\n", true, 0,
	    0, { 1, PROVIDER_UNKNOWN, 0, "a\033c", "", "" } },
	{ "a session cut short", "idle 0\nsession 60 5 171\n", true, 0, 0,
	    { 60, 5, 171, "", "", "" } },
	{ "a word that is too long",
	    "idle 0\nsession 1 - - - "
	    "0123456789012345678901234567890123456789012345678901234567890123 "
	    "a\n",
	    true, 0, 0, { 1, PROVIDER_UNKNOWN, 0, "", "", "" } },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	static struct provider_sessions got;

	memset(&got, 0, sizeof(got));
	control_parse_sessions(VIEW_STR(row->text), &got);
	assert_int_equal(got.known, row->known);
	assert_int_equal(got.idle, row->idle);
	assert_int_equal(got.count, row->count);
	if (row->count == 0)
		return;
	assert_int_equal(got.of[0].age, row->first.age);
	assert_int_equal(got.of[0].idle, row->first.idle);
	assert_int_equal(got.of[0].serial, row->first.serial);
	assert_string_equal(got.of[0].key_id, row->first.key_id);
	assert_string_equal(got.of[0].terminals, row->first.terminals);
	assert_string_equal(got.of[0].from, row->first.from);
}

static void
test_too_many(void **state)
{
	static struct provider_sessions got;
	static char text[(PROVIDER_SESSIONS + 10) * 32];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < PROVIDER_SESSIONS + 5; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "session %d - - - - x\n", i);
	control_parse_sessions(VIEW_STR(text), &got);
	assert_int_equal(got.count, PROVIDER_SESSIONS);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(test_too_many);
	return cases_run("control");
}
