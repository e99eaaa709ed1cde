/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "broker/providers/local/ids.h"
#include "broker/providers/local/tree.h"
#include "common/file.h"

struct row {
	const char *name;
	const char *text;
	enum sbx_err want;
	uint64_t start;
	uint64_t count;
};

static const struct row rows[] = {
	{ "the account's line", "alice:100000:65536\n", SBX_OK, 100000, 65536 },
	{ "by number", "1001:100000:65536\n", SBX_OK, 100000, 65536 },
	{ "no newline at the end", "alice:100000:65536", SBX_OK, 100000,
	    65536 },
	{ "among others", "bob:1:2\nalice:3:4\ncarol:5:6\n", SBX_OK, 3, 4 },
	{ "the largest of several", "alice:1:2\nalice:50:60\nalice:7:8\n",
	    SBX_OK, 50, 60 },
	{ "empty file", "", SBX_NOT_FOUND, 0, 0 },
	{ "only others", "bob:1:2\n", SBX_NOT_FOUND, 0, 0 },
	{ "a longer name", "alice2:1:2\n", SBX_NOT_FOUND, 0, 0 },
	{ "a shorter name", "alic:1:2\n", SBX_NOT_FOUND, 0, 0 },
	{ "no count", "alice:100000\n", SBX_NOT_FOUND, 0, 0 },
	{ "empty count", "alice:100000:\n", SBX_NOT_FOUND, 0, 0 },
	{ "a field too many", "alice:1:2:3\n", SBX_NOT_FOUND, 0, 0 },
	{ "no number", "alice:one:2\n", SBX_NOT_FOUND, 0, 0 },
	{ "negative", "alice:-1:2\n", SBX_NOT_FOUND, 0, 0 },
	{ "ends beyond 32 bits", "alice:4294967295:2\n", SBX_NOT_FOUND, 0, 0 },
	{ "count of 2^64", "alice:1:18446744073709551616\n", SBX_NOT_FOUND, 0,
	    0 },
	{ "a bad line, then a good one", "alice:x:y\nalice:8:9\n", SBX_OK, 8,
	    9 },
	{ "comment", "#alice:1:2\n", SBX_NOT_FOUND, 0, 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct id_range range = { 0, 0 };

	assert_int_equal(
	    ids_parse_subid(VIEW_STR(row->text), "alice", 1001, &range),
	    row->want);
	assert_int_equal(range.start, row->start);
	assert_int_equal(range.count, row->count);
}

static const struct free_row {
	const char *name;
	const char *taken[IDS_TAKEN];
	uint64_t want;
} free_rows[] = {
	{ "nobody has any", { "", "", "", "" }, 100000 },
	{ "the first is taken", { "bob:100000:65536\n", "", "", "" }, 165536 },
	{ "as group ids", { "", "bob:100000:65536\n", "", "" }, 165536 },
	{ "one here, the next there",
	    { "bob:100000:65536\n", "bob:165536:65536\n", "", "" }, 231072 },
	{ "in any order",
	    { "a:231072:65536\nb:165536:65536\nc:100000:65536\n", "", "", "" },
	    296608 },
	{ "a hole that is too small",
	    { "bob:100000:1\nalice:165535:1\n", "", "", "" }, 165536 },
	{ "a hole that is not",
	    { "bob:100000:65536\nalice:231072:65536\n", "", "", "" }, 165536 },
	{ "one that begins below", { "bob:90000:10001\n", "", "", "" },
	    165536 },
	{ "one that ends before", { "bob:90000:10000\n", "", "", "" }, 100000 },
	{ "an account's own id",
	    { "", "", "bob:x:120000:100::/:/bin/sh\n", "" }, 165536 },
	{ "a group's", { "", "", "", "bobs:x:165535:\n" }, 165536 },
	{ "lines that are none",
	    { "bob:100000\n#a:100000:9\n", "x", "y:z", "" }, 100000 },
};

#define FREE_ROWS (sizeof(free_rows) / sizeof(free_rows[0]))

static void
test_lowest(void **state)
{
	const struct free_row *row = *state;
	struct view taken[IDS_TAKEN];

	for (int i = 0; i < IDS_TAKEN; i++)
		taken[i] = VIEW_STR(row->taken[i]);
	assert_int_equal(ids_free(taken), row->want);
}

static int
open_folder(void **state)
{
	static char path[64];
	int *fd = malloc(sizeof(*fd));

	(void)snprintf(path, sizeof(path), "/tmp/test_local_ids.XXXXXX");
	if (fd == NULL || mkdtemp(path) == NULL)
		return -1;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = fd;
	/* Nobody else needs its name; slots are found by descriptor. */
	return *fd < 0 ? -1 : 0;
}

static int
close_folder(void **state)
{
	int *fd = *state;
	char link[64], path[128];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return -1;
	path[n] = '\0';
	(void)close(*fd);
	free(fd);
	return tree_remove(AT_FDCWD, path, NULL) == SBX_OK ? 0 : -1;
}

/* Slots 1 and 2: the smaller range decides. */
static const struct local_ranges three = {
	.uid = { 100000, 3 * LOCAL_SLICE },
	.gid = { 200000, 4 * LOCAL_SLICE - 1 },
	.first_slot = 1,
};

static void
test_slots(void **state)
{
	int fd = *(int *)*state;
	struct local_slice one, two, more;
	struct sbx_why why = { "" };

	assert_int_equal(ids_slot_end(&three), 3);
	assert_int_equal(ids_claim(fd, &three, "one", &one, &why), SBX_OK);
	assert_int_equal(one.slot, 1);
	assert_int_equal(one.uid, 100000 + LOCAL_SLICE);
	assert_int_equal(one.gid, 200000 + LOCAL_SLICE);
	assert_int_equal(ids_claim(fd, &three, "two", &two, &why), SBX_OK);
	assert_int_equal(two.slot, 2);
	assert_int_equal(
	    ids_claim(fd, &three, "more", &more, &why), SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, "all 2 uid ranges"));

	/* Not the holder's to give. */
	ids_release(fd, &one, "two");
	assert_int_equal(
	    ids_claim(fd, &three, "more", &more, &why), SBX_UNAVAILABLE);
	ids_release(fd, &one, "one");
	assert_int_equal(ids_claim(fd, &three, "more", &more, &why), SBX_OK);
	assert_int_equal(more.slot, 1);
}

static void
test_setting_of_root(void **state)
{
	static struct provider_context context = {
		.uid_range_start = 3000000000,
		.uid_range_count = 10 * LOCAL_SLICE,
	};
	struct local_ranges ranges;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(ids_ranges(&context, &ranges, NULL), SBX_OK);
	assert_int_equal(ranges.first_slot, 1);
	assert_int_equal(ranges.gid.start, 3000000000);
	assert_int_equal(ids_slot_end(&ranges), 10);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + FREE_ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	for (size_t i = 0; i < FREE_ROWS; i++)
		tests[ROWS + i] = (struct CMUnitTest){ free_rows[i].name,
			test_lowest, NULL, NULL, (void *)&free_rows[i] };
	tests[ROWS + FREE_ROWS] =
	    (struct CMUnitTest)cmocka_unit_test_setup_teardown(
		test_slots, open_folder, close_folder);
	tests[ROWS + FREE_ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_setting_of_root);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
