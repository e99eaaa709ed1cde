#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/cidr.h"

static const struct row {
	const char *name; /* the list itself */
	bool want;
} rows[] = {
	{ "10.0.0.0/8", true },
	{ "192.0.2.1", true },
	{ "192.0.2.1/32", true },
	{ "0.0.0.0/0", true },
	{ "::/0", true },
	{ "::1", true },
	{ "2001:db8::/32", true },
	{ "2001:db8::1/128", true },
	{ "10.0.0.0/8,::1,192.0.2.0/24", true },
	{ "10.128.0.0/9", true },
	{ "2001:db8:8000::/33", true },
	{ "", false },
	{ ",", false },
	{ "10.0.0.0/8,", false },
	{ ",10.0.0.0/8", false },
	{ "10.0.0.0/8,,::1", false },
	{ "10.0.0.0/8, ::1", false },
	{ " 10.0.0.0/8", false },
	{ "10.0.0.0/8\n", false },
	{ "10.0.0.0", true },
	{ "10.0.0.1/8", false },
	{ "10.128.0.0/8", false },
	{ "2001:db8::1/32", false },
	{ "2001:db8:8000::/32", false },
	{ "10.0.0.0/33", false },
	{ "10.0.0.0/08", false },
	{ "10.0.0.0/00", false },
	{ "10.0.0.0/", false },
	{ "10.0.0.0/8/8", false },
	{ "10.0.0.0/+8", false },
	{ "10.0.0.0/-1", false },
	{ "::/129", false },
	{ "10.0.0/8", false },
	{ "010.0.0.0/8", false },
	{ "!10.0.0.0/8", false },
	{ "2001:DB8::/32", false },
	{ "2001:0db8::/32", false },
	{ "0:0::1", false },
	{ "::ffff:10.0.0.1", false },
	{ "::ffff:0:0/96", false },
	{ "fe80::1%lo", false },
	{ "example.org", false },
	{ "*", false },
	{ "1111:2222:3333:4444:5555:6666:7777:8888/128", true },
	{ "1111:2222:3333:4444:5555:6666:7777:8888/1280000000000", false },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;

	assert_int_equal(
	    cidr_list_is_canonical(VIEW_STR(row->name)), row->want);
}

static void
test_nul_inside(void **state)
{
	(void)state;
	assert_false(cidr_list_is_canonical(VIEW("10.0.0.0/8\0", 11)));
	assert_false(cidr_list_is_canonical(VIEW("10.0.0.0\0/8", 11)));
}

static void
test_most_entries(void **state)
{
	char list[4 * (CIDR_LIST_MAX + 1)];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i <= CIDR_LIST_MAX; i++) {
		memcpy(list + len, "::1,", 4);
		len += 4;
	}
	assert_true(cidr_list_is_canonical(VIEW(list, 4 * CIDR_LIST_MAX - 1)));
	assert_false(cidr_list_is_canonical(VIEW(list, len - 1)));
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_nul_inside);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_most_entries);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
