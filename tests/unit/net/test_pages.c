/* SPDX-License-Identifier: ISC */
/* A broker's list, page after page, and what keeps it from being endless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <time.h>

#include "net/pages.h"
#include "tests/unit/cases.h"

#define MAX 10
#define SECONDS 6
#define ENDLESS 1000

/* Pages, each of so many items, one a second; and what comes of them. */
static const struct row {
	const char *name;
	size_t pages, items;
	const char *cursor; /* of every page; NULL: its number, the last "" */
	enum sbx_err take;  /* what is said to the first item */
	enum sbx_err want;
	bool complete;
	size_t asked, taken;
} rows[] = {
	{ "none", 1, 0, NULL, SBX_OK, SBX_OK, true, 1, 0 },
	{ "three pages", 3, 3, NULL, SBX_OK, SBX_OK, true, 3, 9 },
	{ "as many as may be", 2, 5, NULL, SBX_OK, SBX_OK, true, 2, 10 },
	{ "one more, on one page", 1, 11, NULL, SBX_OK, SBX_OK, false, 1, 10 },
	{ "more, on a later page", 3, 5, NULL, SBX_OK, SBX_OK, false, 3, 10 },
	{ "too many and endless", ENDLESS, 5, NULL, SBX_OK, SBX_OK, false, 3,
	    10 },
	{ "as long as it may take", SECONDS + 1, 0, NULL, SBX_OK, SBX_OK, true,
	    7, 0 },
	{ "longer", SECONDS + 2, 0, NULL, SBX_OK, SBX_TIMEOUT, false, 7, 0 },
	{ "the same page again", ENDLESS, 1, "x", SBX_OK, SBX_PROTOCOL, false,
	    2, 1 },
	{ "an item is refused", ENDLESS, 5, NULL, SBX_BAD_NAME, SBX_BAD_NAME,
	    false, 1, 1 },
};

static const struct row *row;
static size_t asked, taken;
static const char *answer; /* instead of a page */

int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int
__wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	(void)id;
	*ret = (struct timespec){ .tv_sec = 1000 + (time_t)asked };
	return 0;
}

enum sbx_err __wrap_client_call(struct client *client, const char *method,
    const char *path, struct json_object *body, unsigned extra,
    struct json_object **ret, struct sbx_why *why);
enum sbx_err
__wrap_client_call(struct client *client, const char *method, const char *path,
    struct json_object *body, unsigned extra, struct json_object **ret,
    struct sbx_why *why)
{
	char cursor[32] = "", want[64] = "/v1/sandboxes?limit=200&q=1";
	struct json_object *items;

	(void)client, (void)body, (void)extra, (void)why;
	assert_string_equal(method, "GET");
	if (asked > 0)
		(void)snprintf(want + strlen(want), sizeof(want) - strlen(want),
		    row->cursor == NULL ? "&cursor=%zu" : "&cursor=x", asked);
	assert_string_equal(path, want);
	asked++;
	if (answer != NULL) {
		*ret = json_tokener_parse(answer);
		return SBX_OK;
	}
	if (asked < row->pages)
		(void)snprintf(cursor, sizeof(cursor), "%zu", asked);
	items = json_object_new_array();
	for (size_t i = 0; i < row->items; i++)
		(void)json_object_array_add(items, json_object_new_object());
	*ret = json_object_new_object();
	(void)json_object_object_add(*ret, "items", items);
	(void)json_object_object_add(*ret, "next_cursor",
	    json_object_new_string(row->cursor == NULL ? cursor : row->cursor));
	return SBX_OK;
}

static enum sbx_err
take(void *context, struct json_object *item, struct sbx_why *why)
{
	(void)why;
	assert_ptr_equal(context, &taken);
	assert_non_null(item);
	taken++;
	return row->take;
}

static const struct pages pages = { "&q=1", MAX, SECONDS, take, &taken };

static void
test_row(void **state)
{
	bool complete = false;

	row = *state;
	asked = taken = 0;
	assert_int_equal(pages_read(NULL, &pages, &complete, NULL), row->want);
	assert_int_equal(complete, row->complete);
	assert_int_equal(asked, row->asked);
	assert_int_equal(taken, row->taken);
}

static void
test_no_list(void **state)
{
	bool complete = true;

	(void)state;
	row = &rows[0];
	asked = 0;
	answer = "{\"items\":{}}";
	assert_int_equal(
	    pages_read(NULL, &pages, &complete, NULL), SBX_PROTOCOL);
	assert_false(complete);
	answer = NULL;
}

static void
test_query(void **state)
{
	cleanup_buf struct buf query = BUF_INIT(64);

	(void)state;
	pages_put_query(&query, "label", "aZ09-._~=&% \xc3");
	assert_string_equal(buf_text(&query), "&label=aZ09-._~%3D%26%25%20%C3");
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(test_no_list);
	CASE(test_query);
	return cases_run("pages");
}
