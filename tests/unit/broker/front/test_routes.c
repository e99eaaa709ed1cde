/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/front/routes.h"

struct row {
	const char *name;
	const char *method, *path;
	const char *want; /* path of the row; NULL: none */
	const char *id;
	const char *allow;
};

#define SANDBOXES "/v1/sandboxes"
#define ONE SANDBOXES "/{id}"
#define TEN "aaaaaaaaaa"

static const struct row rows[] = {
	{ "health", "GET", "/v1/health", "/v1/health", "", "" },
	{ "list", "GET", SANDBOXES, SANDBOXES, "", "" },
	{ "create", "POST", SANDBOXES, SANDBOXES, "", "" },
	{ "show", "GET", SANDBOXES "/run-1", ONE, "run-1", "" },
	{ "delete", "DELETE", SANDBOXES "/run-1", ONE, "run-1", "" },
	{ "start", "POST", SANDBOXES "/run-1/start", ONE "/start", "run-1",
	    "" },
	{ "ssh", "POST", SANDBOXES "/run-1/ssh", ONE "/ssh", "run-1", "" },
	{ "an id named like a call", "GET", SANDBOXES "/start", ONE, "start",
	    "" },
	{ "a bad id is for the next to judge", "GET", SANDBOXES "/A%", ONE,
	    "A%", "" },
	{ "a long id stays too long", "GET",
	    SANDBOXES "/" TEN TEN TEN TEN TEN TEN TEN TEN, ONE,
	    TEN TEN TEN TEN TEN TEN "aaaa", "" },
	{ "wrong method", "PUT", SANDBOXES, NULL, NULL, "GET, POST" },
	{ "wrong method of one", "POST", SANDBOXES "/run-1", NULL, NULL,
	    "GET, PATCH, DELETE" },
	{ "methods are in capitals", "get", SANDBOXES, NULL, NULL,
	    "GET, POST" },
	{ "no id", "GET", SANDBOXES "/", NULL, NULL, "" },
	{ "no id before a verb", "POST", SANDBOXES "//start", NULL, NULL, "" },
	{ "slash at the end", "GET", SANDBOXES "/run-1/", NULL, NULL, "" },
	{ "too deep", "GET", SANDBOXES "/run-1/ssh/7", NULL, NULL, "" },
	{ "unknown verb", "POST", SANDBOXES "/run-1/fly", NULL, NULL, "" },
	{ "unknown version", "GET", "/v2/sandboxes", NULL, NULL, "" },
	{ "nothing", "GET", "", NULL, NULL, "" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	char id[ROUTE_ID_SIZE], allow[ANSWER_ALLOW_MAX];
	const struct route *found =
	    route_find(row->method, row->path, id, allow);

	if (row->want == NULL) {
		assert_null(found);
		assert_string_equal(allow, row->allow);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found->path, row->want);
	assert_string_equal(found->method, row->method);
	assert_string_equal(id, row->id);
}

static const char *
text_of(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(o, name, &value));
	return json_object_get_string(value);
}

static void
test_problem(void **state)
{
	struct sbx_why why = { "there is no sandbox 'x'" };
	struct answer answer = answer_problem(SBX_NOT_FOUND, &why);

	(void)state;
	assert_int_equal(answer.status, 404);
	assert_string_equal(text_of(answer.body, "type"), "about:blank");
	assert_string_equal(text_of(answer.body, "status"), "404");
	assert_string_equal(text_of(answer.body, "detail"), why.text);
	assert_string_equal(text_of(answer.body, "code"), "not-found");
	assert_int_equal(json_object_put(answer.body), 1);
}

static void
test_every_error_has_a_status(void **state)
{
	(void)state;
	for (int err = SBX_OK + 1; err < SBX_ERR_COUNT; err++) {
		struct answer answer = answer_problem((enum sbx_err)err, NULL);

		assert_in_range(answer.status, 400, 599);
		assert_int_equal(json_object_put(answer.body), 1);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_problem);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_every_error_has_a_status);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
