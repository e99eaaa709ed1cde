/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/wire.h"

struct row {
	const char *name;
	struct view bytes;
	enum sbx_err want;
};

#define ROW(name, bytes, want)                                              \
	{                                                                   \
		name, { (const uint8_t *)(bytes), sizeof(bytes) - 1 }, want \
	}

static const struct row rows[] = {
	ROW("empty string", "\0\0\0\0", SBX_OK),
	ROW("whole string", "\0\0\0\2hi", SBX_OK),
	ROW("no length", "", SBX_TRUNCATED),
	ROW("length cut short", "\0\0\0", SBX_TRUNCATED),
	ROW("body cut short", "\0\0\0\3hi", SBX_TRUNCATED),
	ROW("length wraps", "\377\377\377\377hi", SBX_TRUNCATED),
	ROW("longer than its limit", "\0\0\0\5hello", SBX_TOO_LARGE),
	ROW("one byte too many", "\0\0\0\1hi", SBX_TRAILING),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct wire w = wire_of(row->bytes);
	struct view v = wire_string(&w, 4);

	assert_int_equal(wire_end(&w), row->want);
	if (wire_error(&w) != SBX_OK)
		assert_int_equal(v.len, 0);
}

static void
test_error_is_sticky(void **state)
{
	struct wire w = wire_of(VIEW("\0\0\0\7", 4));
	struct wire inner;

	(void)state;
	assert_int_equal(wire_u64(&w), 0);
	assert_int_equal(wire_u8(&w), 0);
	inner = wire_nested(&w, 10);
	assert_int_equal(wire_error(&inner), SBX_TRUNCATED);
	wire_fail(&w, SBX_TOO_LARGE);
	assert_int_equal(wire_end(&w), SBX_TRUNCATED);
	assert_false(wire_more(&w));
}

static void
test_numbers_are_big_endian(void **state)
{
	struct wire w = wire_of(VIEW("\1\2\3\4\5\6\7\10\11\12\13\14\15", 13));

	(void)state;
	assert_int_equal(wire_u8(&w), 1);
	assert_int_equal(wire_u32(&w), 0x02030405);
	assert_int_equal(wire_u64(&w), 0x060708090a0b0c0d);
	assert_int_equal(wire_end(&w), SBX_OK);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_error_is_sticky);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_numbers_are_big_endian);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
