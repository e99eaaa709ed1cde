/* SPDX-License-Identifier: ISC */
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

static const struct within {
	const char *name, *list, *peer;
	bool want;
} within[] = {
	{ "the address itself", "192.0.2.1", "192.0.2.1", true },
	{ "another one", "192.0.2.1", "192.0.2.2", false },
	{ "in a range", "10.0.0.0/8", "10.255.0.9", true },
	{ "beside it", "10.0.0.0/8", "11.0.0.0", false },
	{ "bits behind a byte", "10.128.0.0/9", "10.200.0.1", true },
	{ "one bit before it", "10.128.0.0/9", "10.127.255.255", false },
	{ "anywhere", "0.0.0.0/0", "203.0.113.7", true },
	{ "anywhere, of the other family", "0.0.0.0/0", "2001:db8::1", false },
	{ "the second", "10.0.0.0/8,2001:db8::/33", "2001:db8::1", true },
	{ "the last bit", "2001:db8::/33", "2001:db8:8000::1", false },
	{ "all of an address", "2001:db8::1/128", "2001:db8::1", true },
	{ "no address", "0.0.0.0/0,::/0", "UNKNOWN", false },
	{ "nothing", "0.0.0.0/0,::/0", "", false },
	{ "a name", "::/0", "localhost", false },
	{ "another form of it", "::/0", "2001:DB8::1", false },
	{ "an address in the other's clothes", "::/0", "::ffff:1.2.3.4", true },
	{ "a list of nothing", "", "192.0.2.1", false },
	{ "behind what is malformed", "x,192.0.2.1", "192.0.2.1", false },
};

#define WITHIN (sizeof(within) / sizeof(within[0]))

static void
test_within(void **state)
{
	const struct within *row = *state;

	assert_int_equal(
	    cidr_list_has(VIEW_STR(row->list), row->peer), row->want);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2 + WITHIN];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_nul_inside);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_most_entries);
	for (size_t i = 0; i < WITHIN; i++)
		tests[ROWS + 2 + i] = (struct CMUnitTest){ within[i].name,
			test_within, NULL, NULL, (void *)&within[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
