/* SPDX-License-Identifier: ISC */
#include "common/buf.h"

#include <string.h>

#include "tests/unit/cases.h"

#define BYTES(b, literal) \
	assert_true(view_eq(buf_view(b), VIEW(literal, sizeof(literal) - 1)))

static void
empty_buffer_is_text_and_view(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(buf_view(&b).len, 0);
	assert_int_equal(buf_error(&b), SBX_OK);
	buf_put(&b, NULL, 0);
	assert_int_equal(buf_error(&b), SBX_OK);
}

static void
numbers_are_big_endian(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(100);

	(void)state;
	buf_put_u8(&b, 1);
	buf_put_u32(&b, 0x02030405);
	buf_put_u64(&b, 0x060708090a0b0c0d);
	BYTES(&b, "\1\2\3\4\5\6\7\10\11\12\13\14\15");
}

static void
strings_have_their_length(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(100);

	(void)state;
	buf_put_string(&b, VIEW("a\0b", 3));
	buf_put_cstring(&b, "");
	buf_put_cstring(&b, "hi");
	BYTES(&b, "\0\0\0\3a\0b\0\0\0\0\0\0\0\2hi");
}

static void
cap_is_exact(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(4);

	(void)state;
	buf_put_text(&b, "abcd");
	assert_int_equal(buf_error(&b), SBX_OK);
	assert_string_equal(buf_text(&b), "abcd");
	buf_put_u8(&b, 'e');
	assert_int_equal(buf_error(&b), SBX_TOO_LARGE);
	assert_string_equal(buf_text(&b), "abcd");
}

static void
error_is_sticky(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(4);

	(void)state;
	buf_put_text(&b, "abcde");
	buf_put_text(&b, "x"); /* would fit, but comes too late */
	buf_printf(&b, "%d", 1);
	buf_fail(&b, SBX_INTERNAL);
	assert_null(buf_grow(&b, 0));
	assert_int_equal(buf_error(&b), SBX_TOO_LARGE);
	assert_int_equal(buf_view(&b).len, 0);
}

static void
half_a_string_is_an_error(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(5);

	(void)state;
	buf_put_cstring(&b, "hi"); /* the length fits, the text does not */
	assert_int_equal(buf_error(&b), SBX_TOO_LARGE);
}

static void
huge_growth_is_refused(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(1000);

	(void)state;
	buf_put_text(&b, "x");
	assert_null(buf_grow(&b, SIZE_MAX));
	assert_int_equal(buf_error(&b), SBX_TOO_LARGE);
}

static void
string_longer_than_its_length_field(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(SIZE_MAX / 4);
	size_t length = (size_t)UINT32_MAX + 1;

	(void)state;
	buf_put_string(&b, VIEW("", length)); /* refused before it is read */
	assert_int_equal(buf_error(&b), SBX_TOO_LARGE);
}

static void
grows_and_stays_text(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(100000);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		buf_put_text(&b, "0123456789");
		assert_int_equal(b.p[b.len], '\0');
	}
	assert_int_equal(buf_error(&b), SBX_OK);
	assert_int_equal(b.len, 100000);
	assert_memory_equal(b.p + 99990, "0123456789", 10);
}

static void
printf_fits_exactly(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(6);

	(void)state;
	buf_printf(&b, "%s-%03d", "ab", 7);
	assert_string_equal(buf_text(&b), "ab-007");
	assert_int_equal(buf_error(&b), SBX_OK);
	buf_printf(&b, "%s", "");
	assert_int_equal(buf_error(&b), SBX_OK);
}

static void
reset_forgets_error_and_bytes(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(4);

	(void)state;
	buf_put_text(&b, "abc");
	buf_put_text(&b, "defg");
	buf_reset(&b);
	assert_int_equal(buf_error(&b), SBX_OK);
	assert_string_equal(buf_text(&b), "");
	buf_put_text(&b, "wxyz");
	assert_string_equal(buf_text(&b), "wxyz");
}

static void
free_leaves_it_empty_and_usable(void **state)
{
	struct buf b = BUF_INIT(4);

	(void)state;
	buf_free(NULL);
	buf_put_text(&b, "abc");
	buf_free(&b);
	assert_null(b.p);
	assert_int_equal(b.cap, 4);
	buf_put_text(&b, "abcd");
	assert_string_equal(buf_text(&b), "abcd");
	buf_free(&b);
	buf_free(&b);
}

int
main(void)
{
	CASE(empty_buffer_is_text_and_view);
	CASE(numbers_are_big_endian);
	CASE(strings_have_their_length);
	CASE(cap_is_exact);
	CASE(error_is_sticky);
	CASE(half_a_string_is_an_error);
	CASE(huge_growth_is_refused);
	CASE(string_longer_than_its_length_field);
	CASE(grows_and_stays_text);
	CASE(printf_fits_exactly);
	CASE(reset_forgets_error_and_bytes);
	CASE(free_leaves_it_empty_and_usable);
	return cases_run("buf");
}
