/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/spans.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "tests/unit/craft_list.h"

#define OFFSET 100 /* a table does not stand at the file's start */
#define STEP 10	   /* row i is STEP * i + 1, or up to STEP * i + 4 */

struct row {
	const char *name;
	size_t count;
	bool pairs;
	size_t key;
};

static const struct row rows[] = {
	{ "one number", 1, false, 32 },
	{ "one pair", 1, true, 8 },
	{ "a block but one", 127, true, 8 },
	{ "a whole block", 128, true, 8 },
	{ "a whole block of numbers", 128, false, 32 },
	{ "a block and a row", 129, true, 8 },
	{ "a block and a number", 129, false, 32 },
	{ "two levels, full", 128 * 128, true, 8 },
	{ "three levels, just", 128 * 128 + 1, true, 8 },
	{ "three levels of numbers", 128 * 128 + 1, false, 32 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
put_number(struct crafted *c, size_t key, uint64_t value)
{
	for (size_t i = 8; i < key; i++)
		craft_number(c, 0, 1);
	craft_number(c, value, 8);
}

static struct crafted
numbers_of(const struct row *row)
{
	struct crafted c = { 0 };

	for (size_t i = 0; i < row->count; i++) {
		put_number(&c, row->key, STEP * i + 1);
		if (row->pairs)
			put_number(&c, row->key, STEP * i + 4);
	}
	return c;
}

/* The table's bytes, from OFFSET on. */
static struct crafted
table_of(const struct row *row, struct spans *ret)
{
	struct crafted c = { 0 };
	uint8_t zeros[OFFSET] = { 0 };

	craft_bytes(&c, (struct view){ zeros, sizeof(zeros) });
	*ret = (struct spans){ .key = row->key,
		.pairs = row->pairs,
		.count = row->count,
		.offset = OFFSET };
	list_spans(&c, numbers_of(row), spans_width(ret), row->key, ret->root);
	return c;
}

static enum sbx_err
find(const struct spans *spans, int fd, uint64_t value, bool *ret)
{
	struct crafted c = { 0 };
	enum sbx_err err;

	put_number(&c, spans->key, value);
	err = spans_find(spans, fd, c.p, ret);
	crafted_free(&c);
	return err;
}

static void
want(const struct spans *spans, int fd, uint64_t value, bool is_in)
{
	bool found = !is_in;

	assert_int_equal(find(spans, fd, value, &found), SBX_OK);
	if (found != is_in)
		fail_msg("%llu", (unsigned long long)value);
}

/*
 * Both ends of rows, of all of them or so many that every block is met, and
 * what stands beside them.
 */
static void
test_found(const struct row *row)
{
	uint64_t step = row->count > 1000 ? 41 : 1;
	struct spans spans;
	struct crafted c = table_of(row, &spans);
	cleanup_close int fd = list_file(crafted_view(&c));

	assert_int_equal(spans_size(&spans), c.len - OFFSET);
	for (uint64_t i = 0; i < row->count; i += step) {
		want(&spans, fd, STEP * i, false);
		want(&spans, fd, STEP * i + 1, true);
		want(&spans, fd, STEP * i + 2, row->pairs);
		want(&spans, fd, STEP * i + 4, row->pairs);
		want(&spans, fd, STEP * i + 5, false);
	}
	want(&spans, fd, STEP * (row->count - 1) + 1, true);
	want(&spans, fd, UINT64_MAX, false);
	crafted_free(&c);
}

/* What we write is what the document says. */
static void
test_written(const struct row *row)
{
	cleanup_buf struct buf written = BUF_INIT(1 << 22);
	struct spans want_spans, spans;
	struct crafted want_bytes = table_of(row, &want_spans);
	struct crafted numbers = numbers_of(row);

	spans = want_spans;
	memset(spans.root, 0, sizeof(spans.root));
	spans_put(&spans, crafted_view(&numbers), &written);
	assert_int_equal(buf_error(&written), SBX_OK);
	assert_true(view_eq(buf_view(&written),
	    (struct view){ want_bytes.p + OFFSET, want_bytes.len - OFFSET }));
	assert_memory_equal(spans.root, want_spans.root, sizeof(spans.root));
	crafted_free(&want_bytes);
	crafted_free(&numbers);
}

static void
test_row(void **state)
{
	test_found(*state);
	test_written(*state);
}

/*
 * Every byte of every block, flipped in the file: who asks for something in
 * that block, there or not, is told that the table is damaged; so is who
 * asks for anything if it is a block of hashes on his way.
 */
static void
test_flipped(void **state)
{
	static const struct row row = { "", 3 * 128 + 5, true, 8 };
	struct spans spans;
	struct crafted c = table_of(&row, &spans);
	cleanup_close int fd = list_file(crafted_view(&c));

	(void)state;
	for (size_t at = OFFSET; at < c.len; at++) {
		uint8_t flipped = c.p[at] ^ 0x10;
		size_t i = (at - OFFSET) / 16;
		bool found;

		if (i >= row.count)
			i = at % row.count;
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
		assert_int_equal(
		    find(&spans, fd, STEP * i + 1, &found), SBX_BAD_VALUE);
		assert_int_equal(
		    find(&spans, fd, STEP * i + 5, &found), SBX_BAD_VALUE);
		assert_int_equal(pwrite(fd, c.p + at, 1, (off_t)at), 1);
		assert_int_equal(
		    find(&spans, fd, STEP * i + 1, &found), SBX_OK);
	}
	crafted_free(&c);
}

/* A block that says more, or less, than the hashes above it promised. */
static void
test_other_rows(void **state)
{
	static const struct row row = { "", 2 * 128, true, 8 };
	struct crafted numbers = numbers_of(&row), c = { 0 };
	struct spans spans = { .key = 8, .pairs = true, .count = row.count };
	bool found;

	(void)state;
	/* The first block's last range reaches into the second block. */
	numbers.p[127 * 16 + 14] = 0xff;
	list_spans(&c, numbers, 16, 8, spans.root);
	{
		cleanup_close int fd = list_file(crafted_view(&c));

		assert_int_equal(
		    find(&spans, fd, STEP * 3, &found), SBX_BAD_VALUE);
		assert_int_equal(find(&spans, fd, STEP * 200, &found), SBX_OK);
	}
	crafted_free(&c);

	/* The hashes stand in the wrong order; or promise an earlier start. */
	for (int swap = 1; swap >= 0; swap--) {
		uint8_t top[80];
		cleanup_close int fd = -1;

		numbers = numbers_of(&row);
		list_spans(&c, numbers, 16, 8, spans.root);
		memcpy(top, c.p + c.len - 80, sizeof(top));
		if (swap) {
			memcpy(c.p + c.len - 80, top + 40, 40);
			memcpy(c.p + c.len - 40, top, 40);
		} else {
			c.p[c.len - 40 + 7]--;
		}
		(void)crypto_generichash(
		    spans.root, 32, c.p + c.len - 80, 80, NULL, 0);
		fd = list_file(crafted_view(&c));
		assert_int_equal(
		    find(&spans, fd, STEP * 200, &found), SBX_BAD_VALUE);
		crafted_free(&c);
	}
}

static void
test_empty(void **state)
{
	const struct spans spans = { .key = 8, .pairs = true };

	(void)state;
	assert_int_equal(spans_size(&spans), 0);
	want(&spans, -1, 0, false);
	want(&spans, -1, UINT64_MAX, false);
}

static const struct CMUnitTest more[] = {
	cmocka_unit_test(test_flipped),
	cmocka_unit_test(test_other_rows),
	cmocka_unit_test(test_empty),
};

#define MORE (sizeof(more) / sizeof(more[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + MORE];

	if (sodium_init() < 0)
		return 99;
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, more, sizeof(more));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
