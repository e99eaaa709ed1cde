/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/revlist.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "tests/unit/craft_list.h"

#define MILLION 1000000

static struct keypair signer, other;

static int
make_keys(void **state)
{
	(void)state;
	craft_ca(1, signer.public, signer.secret);
	craft_ca(2, other.public, other.secret);
	return 0;
}

static void
add(struct revset *set, const uint8_t *ca, uint64_t first, uint64_t last)
{
	assert_int_equal(revset_add_serials(set, ca, first, last), SBX_OK);
}

static void
sign(struct revset *set, struct buf *ret)
{
	assert_int_equal(revlist_sign(set, CA_KEY(&signer), CRAFT_NOW - 600,
			     CRAFT_NOW + 3000, ret, NULL),
	    SBX_OK);
}

/* In any order, twice, in pieces: one set has one form. */
static void
test_canonical(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted want = list_craft(&spec);
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;
	uint8_t bytes[32];

	(void)state;
	revset_init(&set);
	add(&set, signer.public, UINT64_MAX, UINT64_MAX);
	add(&set, signer.public, 13, 20);
	add(&set, signer.public, 30, 30);
	add(&set, signer.public, 10, 12);
	add(&set, signer.public, 11, 15);
	add(&set, signer.public, 0, 0);
	add(&set, signer.public, UINT64_MAX - 1, UINT64_MAX);
	add(&set, signer.public, UINT64_MAX - 1, UINT64_MAX - 1);
	add(&set, signer.public, 0, 0);
	for (const char *c = "\x22\x11\x22"; *c != '\0'; c++) {
		memset(bytes, *c, sizeof(bytes));
		assert_int_equal(revset_add_key(&set, bytes), SBX_OK);
	}
	for (const char *c = "\x30\x20\x30"; *c != '\0'; c++) {
		memset(bytes, *c, sizeof(bytes));
		assert_int_equal(revset_add_ca(&set, bytes), SBX_OK);
	}
	sign(&set, &list);
	assert_int_equal(list.len, want.len);
	assert_memory_equal(list.p, want.p, want.len);
	crafted_free(&want);
}

static void
test_empty(void **state)
{
	static const struct list_spec spec =
	    LIST_SPEC(.cas = { 0 }, .tables = { { 0 } }, .keys = { 0 });
	struct crafted want = list_craft(&spec);
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;

	(void)state;
	revset_init(&set);
	sign(&set, &list);
	assert_int_equal(list.len, want.len);
	assert_memory_equal(list.p, want.p, want.len);
	crafted_free(&want);
}

static void
test_everything(void **state)
{
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;

	(void)state;
	revset_init(&set);
	add(&set, signer.public, 0, 5);
	add(&set, signer.public, 0, UINT64_MAX);
	add(&set, signer.public, UINT64_MAX, UINT64_MAX);
	sign(&set, &list);
	assert_int_equal(revset_range_count(&set.table[0]), 1);
	assert_int_equal(
	    revset_add_serials(&set, signer.public, 2, 1), SBX_BAD_VALUE);
}

static void
test_refused(void **state)
{
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;
	uint8_t ca[32] = { 0 };

	(void)state;
	revset_init(&set);
	assert_int_equal(revlist_sign(&set, CA_KEY(&signer), 5, 5, &list, NULL),
	    SBX_BAD_VALUE);
	for (uint8_t i = 1; i <= REVOCATIONS_CAS_MAX; i++) {
		ca[0] = i;
		add(&set, ca, 1, 1);
		assert_int_equal(revset_add_ca(&set, ca), SBX_OK);
	}
	sign(&set, &list);
	ca[0]++;
	assert_int_equal(revset_add_serials(&set, ca, 1, 1), SBX_TOO_LARGE);
	assert_int_equal(revset_add_ca(&set, ca), SBX_OK);
	assert_int_equal(revlist_sign(&set, CA_KEY(&signer), 1, 2, &list, NULL),
	    SBX_TOO_LARGE);
	revset_free(&set);
	revset_init(&set);
	assert_int_equal(revset_add_ca(&set, signer.public), SBX_OK);
	assert_int_equal(revlist_sign(&set, CA_KEY(&signer), 1, 2, &list, NULL),
	    SBX_REVOKED_SIGNER);
	assert_int_equal(
	    revlist_sign(&set, CA_KEY(&other), 1, 2, &list, NULL), SBX_OK);
}

/* Signed by us and yet no good: what the gate may not see, loading does. */
static const struct row {
	const char *name;
	enum sbx_err want;
	struct list_spec spec;
} rows[] = {
	{ "good", SBX_OK, LIST_SPEC() },
	{ "empty", SBX_OK,
	    LIST_SPEC(.cas = { 0 }, .tables = { { 0 } }, .keys = { 0 }) },
	{ "ranges unsorted", SBX_BAD_VALUE,
	    LIST_SPEC(.tables = { { 1, 2, { { 30, 40 }, { 10, 20 } }, 0,
			  false } }) },
	{ "ranges overlap", SBX_BAD_VALUE,
	    LIST_SPEC(.tables = { { 1, 2, { { 10, 20 }, { 15, 30 } }, 0,
			  false } }) },
	{ "ranges touch", SBX_BAD_VALUE,
	    LIST_SPEC(.tables = { { 1, 2, { { 10, 20 }, { 21, 30 } }, 0,
			  false } }) },
	{ "a range backwards", SBX_BAD_VALUE,
	    LIST_SPEC(.tables = { { 1, 1, { { 20, 10 } }, 0, false } }) },
	{ "a range backwards, and one more", SBX_BAD_VALUE,
	    LIST_SPEC(.tables = { { 1, 2, { { 20, 10 }, { 30, 30 } }, 0,
			  false } }) },
	{ "another root", SBX_BAD_VALUE,
	    LIST_SPEC(.tables = { { 1, 1, { { 1, 1 } }, 0, true } }) },
	{ "keys unsorted", SBX_BAD_VALUE, LIST_SPEC(.keys = { 0x22, 0x11 }) },
	{ "a key twice", SBX_BAD_VALUE, LIST_SPEC(.keys = { 0x11, 0x11 }) },
	{ "signature", SBX_CERT_SIGNATURE,
	    LIST_SPEC(.signature = LIST_FLIPPED) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_load(void **state)
{
	const struct row *row = *state;
	struct crafted c = list_craft(&row->spec);
	cleanup_close int fd = list_file(crafted_view(&c));
	cleanup_buf struct buf again = BUF_INIT(65536);
	cleanup_revset struct revset set;
	struct revocations head;
	enum sbx_err err;

	revset_init(&set);
	err = revlist_load(fd, &set, &head, NULL);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	if (err == SBX_OK) {
		sign(&set, &again);
		assert_true(view_eq(buf_view(&again), crafted_view(&c)));
	} else {
		assert_int_equal(set.table_count, 0);
		assert_int_equal(set.keys.len, 0);
	}
	crafted_free(&c);
}

/* Whatever bit it is. */
static void
test_load_flipped(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted c = list_craft(&spec);

	(void)state;
	for (size_t bit = 0; bit < 8 * c.len; bit++) {
		cleanup_revset struct revset set;
		cleanup_close int fd = -1;
		struct revocations head;

		revset_init(&set);
		c.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		fd = list_file(crafted_view(&c));
		assert_int_not_equal(
		    revlist_load(fd, &set, &head, NULL), SBX_OK);
		c.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	crafted_free(&c);
}

static void
test_merge(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted c = list_craft(&spec);
	cleanup_close int fd = list_file(crafted_view(&c));
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;
	struct revocations head;
	uint64_t first, last;

	(void)state;
	revset_init(&set);
	add(&set, signer.public, 21, 29);
	add(&set, other.public, 7, 7);
	assert_int_equal(revlist_load(fd, &set, &head, NULL), SBX_OK);
	assert_int_equal(head.issued_at, CRAFT_NOW - 600);
	sign(&set, &list);
	assert_int_equal(set.table_count, 2);
	for (size_t i = 0; i < 2; i++) {
		bool ours = memcmp(set.table[i].ca, signer.public, 32) == 0;

		assert_int_equal(
		    revset_range_count(&set.table[i]), ours ? 3 : 1);
		revset_range(&set.table[i], ours ? 1 : 0, &first, &last);
		assert_int_equal(first, ours ? 10 : 7);
		assert_int_equal(last, ours ? 30 : 7);
	}
	crafted_free(&c);
}

/* As a counter's hash, so that both halves of the test know them. */
static uint64_t
serial_of(uint64_t i)
{
	uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void
test_million(void **state)
{
	cleanup_buf struct buf list = BUF_INIT(REVLIST_MAX);
	cleanup_revset struct revset set;
	cleanup_close int fd = -1;
	struct revocations head;
	struct view key = V("a key");

	(void)state;
	revset_init(&set);
	for (uint64_t i = 0; i < MILLION; i++)
		add(&set, signer.public, serial_of(i), serial_of(i));
	sign(&set, &list);
	assert_int_equal(revset_range_count(&set.table[0]), MILLION);
	fd = list_file(buf_view(&list));
	assert_int_equal(revocations_open(fd, &head, NULL), SBX_OK);
	for (uint64_t i = 0; i < MILLION; i += 97) {
		uint64_t serial = serial_of(i);

		assert_int_equal(
		    revocations_check(&head, signer.public, serial, key, NULL),
		    SBX_REVOKED);
		/* The neighbour of a random number of 64 bits is free. */
		assert_int_equal(revocations_check(&head, signer.public,
				     serial + 1, key, NULL),
		    SBX_OK);
		assert_int_equal(
		    revocations_check(&head, other.public, serial, key, NULL),
		    SBX_OK);
	}
	revset_free(&set);
	revset_init(&set);
	assert_int_equal(revlist_load(fd, &set, &head, NULL), SBX_OK);
	assert_int_equal(revset_range_count(&set.table[0]), MILLION);
}

static const struct CMUnitTest more[] = {
	cmocka_unit_test(test_canonical),
	cmocka_unit_test(test_empty),
	cmocka_unit_test(test_everything),
	cmocka_unit_test(test_refused),
	cmocka_unit_test(test_load_flipped),
	cmocka_unit_test(test_merge),
	cmocka_unit_test(test_million),
};

#define MORE (sizeof(more) / sizeof(more[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + MORE];

	if (sodium_init() < 0)
		return 99;
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_load, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, more, sizeof(more));
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
