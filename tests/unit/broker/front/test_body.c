/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/front/body.h"

struct body {
	char id[8];
	bool flag;
};

static const struct reply_field fields[] = {
	{ "id", REPLY_TEXT, true, offsetof(struct body, id), 8, 0, 0 },
	{ "flag", REPLY_BOOL, true, offsetof(struct body, flag), 0, 0, 0 },
};

static const struct body_table table = { fields, 2, "labels" };

struct row {
	const char *name;
	struct view text;
	enum sbx_err want;
	size_t labels;
};

#define ROW(name, text, want, labels)                                      \
	{                                                                  \
		name, { (const uint8_t *)(text), sizeof(text) - 1 }, want, \
		    labels                                                 \
	}

static const struct row rows[] = {
	ROW("empty", "", SBX_OK, 0),
	ROW("blanks", " \r\n", SBX_OK, 0),
	ROW("all", "{\"id\":\"a\",\"flag\":true,\"labels\":{\"k\":\"v\"}}\n",
	    SBX_OK, 1),
	ROW("null is absent", "{\"id\":null,\"labels\":null}", SBX_OK, 0),
	ROW("unknown", "{\"idd\":\"a\"}", SBX_BAD_VALUE, 0),
	ROW("twice", "{\"id\":\"a\",\"id\":\"a\"}", SBX_BAD_VALUE, 0),
	ROW("wrong type", "{\"flag\":1}", SBX_BAD_VALUE, 0),
	ROW("too long", "{\"id\":\"12345678\"}", SBX_BAD_VALUE, 0),
	ROW("array", "[]", SBX_BAD_VALUE, 0),
	ROW("NUL behind it", "{}\0", SBX_BAD_VALUE, 0),
	ROW("NUL in a text", "{\"id\":\"a\\u0000\"}", SBX_BAD_VALUE, 0),
	ROW("label of another type", "{\"labels\":{\"k\":1}}", SBX_BAD_VALUE,
	    0),
	ROW("label with a null", "{\"labels\":{\"k\":null}}", SBX_BAD_VALUE, 0),
	ROW("label without key", "{\"labels\":{\"\":\"v\"}}", SBX_BAD_VALUE, 0),
	ROW("label key with '='", "{\"labels\":{\"a=b\":\"v\"}}", SBX_BAD_VALUE,
	    0),
	ROW("label with a newline", "{\"labels\":{\"a\":\"v\\n\"}}",
	    SBX_BAD_VALUE, 0),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct label labels[STORE_LABELS_MAX];
	struct sbx_why why = { "" };
	struct body body = { "", false };
	size_t count = 0;

	assert_int_equal(
	    body_read(row->text, &table, &body, labels, &count, &why),
	    row->want);
	if (row->want == SBX_OK)
		assert_int_equal(count, row->labels);
	else
		assert_int_not_equal(why.text[0], '\0');
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
