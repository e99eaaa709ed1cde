/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/sandbox.h"

/* Text of a broker, and how it is shown; NULL: as it came. */
static const struct row {
	const char *name;
	const char *json;
	const char *shown;
} rows[] = {
	{ "plain", "{\"a\":\"b\"}", NULL },
	{ "other letters", "{\"a\":\"\xc3\x9b\xc2\xa0\"}", NULL },
	{ "escape", "{\"a\":\"\\u001b[2J\"}", NULL },
	{ "DEL", "{\"a\":\"\x7f\"}", "{\"a\":\"\\u007f\"}" },
	{ "C1",
	    "{\"a\":\"\xc2\x9b"
	    "2J\"}",
	    "{\"a\":\"\\u009b2J\"}" },
	{ "C1 in a name", "{\"\xc2\x85\":1}", "{\"\\u0085\":1}" },
	{ "C1, escaped already", "{\"a\":\"\\u0080\"}", "{\"a\":\"\\u0080\"}" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct json_object *object = json_tokener_parse(row->json);
	const char *want = row->shown == NULL ? row->json : row->shown;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(object);
	assert_non_null(out);
	sandbox_put_json(object, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(len, strlen(want) + 1);
	assert_memory_equal(text, want, strlen(want));
	free(text);
	(void)json_object_put(object);
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
