/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <time.h>

#include "net/api.h"

enum sbx_err __wrap_http_perform(const struct http_request *request,
    struct http_head *ret_head, struct buf *ret_body, struct sbx_why *why);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);

#define ANSWERS 6

struct canned {
	enum sbx_err err;
	long status;
	uint64_t retry_after;
	const char *body;
};

struct row {
	const char *name;
	struct canned answer[ANSWERS]; /* the last one again and again */
	bool harmful;
	enum sbx_err want;
	unsigned tries;
	uint64_t seconds; /* passed, rounded down */
	const char *says;
};

#define MESSAGE(text) "{\"statusCode\":1,\"message\":\"" text "\"}"
#define HTML "<html><body>It works</body></html>"

static const struct row rows[] = {
	{ .name = "an object",
	    .answer = { { SBX_OK, 200, 0, "{\"a\":1}" } },
	    .want = SBX_OK,
	    .tries = 1 },
	{ .name = "nothing",
	    .answer = { { SBX_OK, 201, 0, "" } },
	    .want = SBX_OK,
	    .tries = 1 },
	{ .name = "400",
	    .answer = { { SBX_OK, 400, 0, MESSAGE("no") } },
	    .want = SBX_STATE,
	    .tries = 1,
	    .says = "x: no (status 400)" },
	{ .name = "401",
	    .answer = { { SBX_OK, 401, 0, MESSAGE("Invalid credentials") } },
	    .want = SBX_CONFIG,
	    .tries = 1,
	    .says = "x: Invalid credentials (status 401): see the key in "
		    "sandboxd.conf" },
	{ .name = "403",
	    .answer = { { SBX_OK, 403, 0, "{}" } },
	    .want = SBX_CONFIG,
	    .tries = 1,
	    .says = "x: the key is not good for that (status 403): see which "
		    "rights the key has" },
	{ .name = "404",
	    .answer = { { SBX_OK, 404, 0, "{}" } },
	    .want = SBX_NOT_FOUND,
	    .tries = 1 },
	{ .name = "404 of a proxy",
	    .answer = { { SBX_OK, 404, 0, HTML } },
	    .want = SBX_PROTOCOL,
	    .tries = 1,
	    .says = "x: what answers at http://x/api is not its API (status "
		    "404, no JSON): is there a proxy in between?" },
	{ .name = "409",
	    .answer = { { SBX_OK, 409, 0, "{}" } },
	    .want = SBX_STATE,
	    .tries = 1 },
	{ .name = "429, then an answer",
	    .answer = { { SBX_OK, 429, 3, "" }, { SBX_OK, 200, 0, "{}" } },
	    .want = SBX_OK,
	    .tries = 2,
	    .seconds = 3 },
	{ .name = "429 again and again is asked while there is time",
	    .answer = { { SBX_OK, 429, 20, MESSAGE("slow down") } },
	    .want = SBX_UNAVAILABLE,
	    .tries = 3,
	    .seconds = 40,
	    .says = "x: slow down (status 429)" },
	{ .name = "429 for longer than there is time",
	    .answer = { { SBX_OK, 429, 3600, "" } },
	    .want = SBX_UNAVAILABLE,
	    .tries = 1,
	    .says = "x: too many requests (status 429)" },
	{ .name = "429 of what does harm was not done",
	    .answer = { { SBX_OK, 429, 1, "" }, { SBX_OK, 200, 0, "{}" } },
	    .harmful = true,
	    .want = SBX_OK,
	    .tries = 2,
	    .seconds = 1 },
	{ .name = "503 twice, then an answer",
	    .answer = { { SBX_OK, 503, 0, HTML }, { SBX_OK, 500, 0, "{}" },
		{ SBX_OK, 200, 0, "{}" } },
	    .want = SBX_OK,
	    .tries = 3 },
	{ .name = "503 for good",
	    .answer = { { SBX_OK, 503, 0, HTML } },
	    .want = SBX_UNAVAILABLE,
	    .tries = 4,
	    .seconds = 1,
	    .says = "x: it failed (status 503)" },
	{ .name = "503 of what does harm",
	    .harmful = true,
	    .answer = { { SBX_OK, 503, 0, "{}" } },
	    .want = SBX_UNAVAILABLE,
	    .tries = 1 },
	{ .name = "cannot be reached, then it can",
	    .answer = { { SBX_UNAVAILABLE, 0, 0, "" },
		{ SBX_OK, 200, 0, "{}" } },
	    .want = SBX_OK,
	    .tries = 2 },
	{ .name = "TLS says no",
	    .answer = { { SBX_REFUSED, 0, 0, "" } },
	    .want = SBX_REFUSED,
	    .tries = 1 },
	{ .name = "HTML with 200",
	    .answer = { { SBX_OK, 200, 0, HTML } },
	    .want = SBX_PROTOCOL,
	    .tries = 1,
	    .says = "x: what answers at http://x/api is not its API: not "
		    "JSON: unexpected character at byte 0: is there a proxy "
		    "in between?" },
	{ .name = "a status of nobody's",
	    .answer = { { SBX_OK, 302, 0, "" } },
	    .want = SBX_PROTOCOL,
	    .tries = 1 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct canned *answers;
static unsigned tries;
static struct timespec now;

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	*ret = now;
	return 0;
}

int
__wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)left;
	now.tv_sec +=
	    pause->tv_sec + (now.tv_nsec + pause->tv_nsec) / 1000000000;
	now.tv_nsec = (now.tv_nsec + pause->tv_nsec) % 1000000000;
	return 0;
}

enum sbx_err
__wrap_http_perform(const struct http_request *request,
    struct http_head *ret_head, struct buf *ret_body, struct sbx_why *why)
{
	const struct canned *a = &answers[tries];

	assert_string_equal(request->bearer, "secret");
	/* The last one again. */
	while (a->body == NULL)
		a--;
	tries++;
	*ret_head = (struct http_head){ a->status, 0, a->retry_after };
	buf_put_text(ret_body, a->body);
	return a->err == SBX_OK ? SBX_OK : sbx_fail(why, a->err, "no");
}

static void
begin(const struct canned *canned, struct api *ret)
{
	answers = canned;
	tries = 0;
	now = (struct timespec){ 1000, 0 };
	*ret = (struct api){ .who = "x",
		.base = "http://x/api",
		.bearer = "secret",
		.timeout = 10,
		.deadline = api_now() + 60000 };
}

static void
test_call(void **state)
{
	const struct row *row = *state;
	struct json_object *object = NULL;
	struct sbx_why why = { "" };
	struct api api;
	enum sbx_err err;

	begin(row->answer, &api);
	err = api_call(&api,
	    &(struct api_call){ "POST", "/y", NULL, !row->harmful }, &object,
	    &why);
	assert_int_equal(err, row->want);
	assert_int_equal(tries, row->tries);
	assert_int_equal(now.tv_sec - 1000, row->seconds);
	if (row->says != NULL)
		assert_string_equal(why.text, row->says);
	(void)json_object_put(object);
}

static enum sbx_err
count(void *context, struct json_object *item, struct sbx_why *why)
{
	(void)item, (void)why;
	++*(size_t *)context;
	return SBX_OK;
}

static enum sbx_err
read_pages(const struct canned *canned, size_t max, size_t *ret)
{
	struct api_pages pages = { "/list?limit=2", "items", "cursor",
		"nextCursor", max, count, ret };
	struct api api;

	*ret = 0;
	begin(canned, &api);
	return api_pages(&api, &pages, NULL);
}

static void
test_pages(void **state)
{
	static const struct canned two[ANSWERS] = {
		{ SBX_OK, 200, 0, "{\"items\":[1,2],\"nextCursor\":\"c&1\"}" },
		{ SBX_OK, 200, 0, "{\"items\":[3],\"nextCursor\":null}" },
	};
	static const struct canned endless[ANSWERS] = {
		{ SBX_OK, 200, 0, "{\"items\":[1],\"nextCursor\":\"c\"}" },
	};
	static const struct canned none[ANSWERS] = { { SBX_OK, 200, 0, "{}" } };
	static const struct canned nothing[ANSWERS] = { { SBX_OK, 200, 0,
	    "" } };
	size_t n;

	(void)state;
	assert_int_equal(read_pages(two, 10, &n), SBX_OK);
	assert_int_equal(n, 3);
	assert_int_equal(read_pages(two, 2, &n), SBX_TOO_LARGE);
	assert_int_equal(read_pages(endless, 10, &n), SBX_PROTOCOL);
	assert_int_equal(read_pages(none, 10, &n), SBX_PROTOCOL);
	assert_int_equal(read_pages(nothing, 10, &n), SBX_PROTOCOL);
}

static void
test_escaped(void **state)
{
	cleanup_buf struct buf path = BUF_INIT(100);

	(void)state;
	api_put_escaped(&path, "a/b{\"k\":\"v w\"}%~");
	assert_string_equal(
	    buf_text(&path), "a%2Fb%7B%22k%22%3A%22v%20w%22%7D%25~");
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_call, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_pages);
	tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(test_escaped);
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
