/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/revocations.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "tests/unit/craft_list.h"

#define KEY V("not the key of anybody")

enum step { OPENS, IS_JUDGED, IS_ASKED };

struct row {
	const char *name;
	enum step step; /* the one that fails */
	enum sbx_err want;
	struct list_spec spec;
	uint64_t serial;
	uint64_t max_age;
	uint8_t ca;
};

#define ROW(name, step, want, ...)                                \
	{                                                         \
		name, step, want, LIST_SPEC(__VA_ARGS__), 5, 0, 1 \
	}
#define OPEN(name, want, ...) ROW(name, OPENS, want, __VA_ARGS__)
#define ASK(name, want, serial, ...)                                       \
	{                                                                  \
		name, IS_ASKED, want, LIST_SPEC(__VA_ARGS__), serial, 0, 1 \
	}
#define AGED(name, want, max_age, ...)                                       \
	{                                                                    \
		name, IS_JUDGED, want, LIST_SPEC(__VA_ARGS__), 5, max_age, 1 \
	}
#define RANGES(n, ...) .tables = { { 1, n, { __VA_ARGS__ }, 0, false } }

static const struct row rows[] = {
	ROW("good", IS_ASKED, SBX_OK, ),
	ROW("empty", IS_ASKED, SBX_OK, .cas = { 0 }, .tables = { { 0 } },
	    .keys = { 0 }),

	/* The head, field by field. */
	OPEN("other magic", SBX_BAD_VALUE, .magic = V("sandbox-revokeD\0")),
	OPEN("version 0", SBX_BAD_VALUE, .version = 0),
	OPEN("version 2", SBX_BAD_VALUE, .version = 2),
	OPEN("head of no length", SBX_TRUNCATED, .length = 55),
	OPEN("head longer than its limit", SBX_TOO_LARGE, .length = 8193),
	OPEN("head of 4 GB", SBX_TOO_LARGE, .length = UINT32_MAX),
	OPEN("head longer than the file", SBX_TRUNCATED, .length = 8192),
	OPEN("head cut short", SBX_CERT_SIGNATURE, .length = 56),
	OPEN("issued as it ends", SBX_BAD_VALUE, .issued = CRAFT_NOW + 3000),
	OPEN("issued after its end", SBX_BAD_VALUE, .next = 1),
	OPEN("a CA too few", SBX_TOO_LARGE, .ca_count = 1),
	OPEN("a CA too many", SBX_BAD_VALUE, .ca_count = 3),
	OPEN("65 CAs", SBX_TOO_LARGE, .ca_count = 65),
	OPEN("4 G CAs", SBX_TOO_LARGE, .ca_count = UINT32_MAX),
	OPEN("CAs unsorted", SBX_BAD_VALUE, .cas = { 0x30, 0x20 }),
	OPEN("a CA twice", SBX_BAD_VALUE, .cas = { 0x20, 0x20 }),
	OPEN("a table too many", SBX_BAD_VALUE, .table_count = 2),
	OPEN("65 tables", SBX_TOO_LARGE, .table_count = 65),
	OPEN("4 G tables", SBX_TOO_LARGE, .table_count = UINT32_MAX),
	OPEN("a table with nothing in it", SBX_BAD_VALUE, RANGES(0, { 0, 0 })),
	OPEN("a table twice", SBX_BAD_VALUE,
	    .tables = { { 1, 1, { { 1, 1 } }, 0, false },
		{ 1, 1, { { 2, 2 } }, 0, false } }),
	OPEN("a range fewer than it says", SBX_TRUNCATED,
	    .tables = { { 1, 1, { { 1, 1 } }, 2, false } }),
	OPEN("a range more than it says", SBX_TRAILING,
	    .tables = { { 1, 2, { { 1, 1 }, { 3, 3 } }, 1, false } }),
	OPEN("more ranges than the limit", SBX_TOO_LARGE,
	    .tables = { { 1, 1, { { 1, 1 } }, SPANS_MAX + 1, false } }),
	OPEN("2^64-1 ranges", SBX_TOO_LARGE,
	    .tables = { { 1, 1, { { 1, 1 } }, UINT64_MAX, false } }),
	OPEN("2^60 ranges: the size would wrap", SBX_TOO_LARGE,
	    .tables = { { 1, 1, { { 1, 1 } }, UINT64_C(1) << 60, false } }),
	OPEN("a key more than there is", SBX_TRUNCATED, .key_count = 3),
	OPEN("2^64-1 keys", SBX_TOO_LARGE, .key_count = UINT64_MAX),
	OPEN("no keys, with a root", SBX_BAD_VALUE, .keys = { 0 },
	    .keys_other_root = true),
	OPEN("a byte after the head's fields", SBX_TRAILING,
	    .head_tail = V("x")),
	OPEN("a byte after the tables", SBX_TRAILING, .tail = V("x")),
	OPEN("signed by another key", SBX_CERT_SIGNATURE,
	    .signature = LIST_BY_OTHER),
	OPEN("signature with a flipped bit", SBX_CERT_SIGNATURE,
	    .signature = LIST_FLIPPED),
	OPEN("signature of zeros", SBX_CERT_SIGNATURE,
	    .signature = LIST_OF_NOTHING),

	/* Signer and times; the policy's skew is 60 seconds. */
	ROW("second of the trusted CAs signs", IS_ASKED, SBX_OK, .signer = 2),
	AGED("signer is not trusted", SBX_REVOKED_SIGNER, 0, .signer = 3),
	AGED("signer revokes itself", SBX_REVOKED_SIGNER, 0,
	    .revokes_signer = true),
	AGED("issued as far ahead as allowed", SBX_OK, 0,
	    .issued = CRAFT_NOW + 60),
	AGED("issued a second further ahead", SBX_REVOKED_STALE, 0,
	    .issued = CRAFT_NOW + 61),
	AGED("issued at the end of time", SBX_REVOKED_STALE, 0,
	    .issued = UINT64_MAX - 1, .next = UINT64_MAX),
	AGED("next update in a second", SBX_OK, 0, .next = CRAFT_NOW + 1),
	AGED("next update now", SBX_REVOKED_STALE, 0, .next = CRAFT_NOW),
	AGED("next update long ago", SBX_REVOKED_STALE, 0, .issued = 0,
	    .next = 1),
	AGED("as old as allowed", SBX_OK, 600, ),
	AGED("a second older", SBX_REVOKED_STALE, 599, ),
	AGED("old, but no limit", SBX_OK, 0, .issued = 0),
	AGED("issued ahead, with a limit", SBX_OK, 1, .issued = CRAFT_NOW + 30),

	/* Serials at the edges. */
	ASK("serial 0", SBX_REVOKED, 0, ),
	ASK("after a range of one", SBX_OK, 1, ),
	ASK("before a range", SBX_OK, 9, ),
	ASK("first of a range", SBX_REVOKED, 10, ),
	ASK("inside a range", SBX_REVOKED, 15, ),
	ASK("last of a range", SBX_REVOKED, 20, ),
	ASK("between two ranges", SBX_OK, 21, ),
	ASK("before the last range", SBX_OK, UINT64_MAX - 2, ),
	ASK("first of the last range", SBX_REVOKED, UINT64_MAX - 1, ),
	ASK("the last serial", SBX_REVOKED, UINT64_MAX, ),
	ASK("before the first range", SBX_OK, 6, RANGES(1, { 7, 7 })),
	ASK("all serials, the first", SBX_REVOKED, 0,
	    RANGES(1, { 0, UINT64_MAX })),
	ASK("all serials, the last", SBX_REVOKED, UINT64_MAX,
	    RANGES(1, { 0, UINT64_MAX })),
	ASK("serials of another CA", SBX_OK, 15,
	    .tables = { { 2, 1, { { 10, 20 } }, 0, false } }),

	ASK("the user's key", SBX_REVOKED, 5, .key = KEY),
	ASK("another key, of which his is a part", SBX_OK, 5,
	    .key = V("not the key of anybody else")),

	/* Signed, but no good: the block that is read must be in order. */
	ASK("ranges unsorted", SBX_BAD_VALUE, 50,
	    RANGES(2, { 30, 40 }, { 10, 20 })),
	ASK("a range twice", SBX_BAD_VALUE, 50,
	    RANGES(2, { 10, 20 }, { 10, 20 })),
	ASK("ranges overlap", SBX_BAD_VALUE, 70,
	    RANGES(2, { 0, 100 }, { 50, 60 })),
	ASK("ranges overlap by one", SBX_BAD_VALUE, 50,
	    RANGES(2, { 10, 20 }, { 20, 30 })),
	ASK("a range backwards", SBX_BAD_VALUE, 15, RANGES(1, { 20, 10 })),
	ASK("serials with another root", SBX_BAD_VALUE, 5,
	    .tables = { { 1, 1, { { 1, 1 } }, 0, true } }),
	ASK("keys with another root", SBX_BAD_VALUE, 5,
	    .keys_other_root = true),
	ASK("keys unsorted", SBX_BAD_VALUE, 5, .keys = { 0x22, 0x11 }),
	ASK("a key twice", SBX_BAD_VALUE, 5, .keys = { 0x11, 0x11 }),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static enum sbx_err
ask(const struct revocations *list, uint8_t ca_id, uint64_t serial)
{
	uint8_t public[32], secret[64];
	struct sbx_why why = { "" };
	enum sbx_err err;

	craft_ca(ca_id, public, secret);
	err = revocations_check(list, public, serial, (struct view)KEY, &why);
	assert_int_equal(err == SBX_OK, why.text[0] == '\0');
	return err;
}

static enum sbx_err
judge(const struct revocations *list, uint64_t max_age)
{
	struct ca_set trusted = { .count = 2 };
	const struct revocations_policy policy = { &trusted, CRAFT_NOW, 60,
		max_age };
	uint8_t secret[64];

	craft_ca(1, trusted.key[0], secret);
	craft_ca(2, trusted.key[1], secret);
	return revocations_judge(list, &policy, NULL);
}

static enum sbx_err
open_bytes(struct view bytes, struct revocations *ret, int *ret_fd)
{
	*ret_fd = list_file(bytes);
	return revocations_open(*ret_fd, ret, NULL);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct crafted c = list_craft(&row->spec);
	cleanup_close int fd = -1;
	struct revocations list;
	enum step step = OPENS;
	enum sbx_err err = open_bytes(crafted_view(&c), &list, &fd);

	if (err == SBX_OK) {
		step = IS_JUDGED;
		err = judge(&list, row->max_age);
	}
	if (err == SBX_OK && row->step == IS_ASKED) {
		step = IS_ASKED;
		err = ask(&list, row->ca, row->serial);
	}
	crafted_free(&c);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	assert_int_equal(step, row->step);
}

/* In the file there is nothing that may be missing. */
static void
test_cut_anywhere(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted c = list_craft(&spec);

	(void)state;
	for (size_t len = 0; len < c.len; len++) {
		cleanup_close int fd = -1;
		struct revocations list;

		assert_int_equal(
		    open_bytes((struct view){ c.p, len }, &list, &fd),
		    SBX_TRUNCATED);
	}
	crafted_free(&c);
}

static void
test_any_flipped_bit(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted c = list_craft(&spec);

	(void)state;
	for (size_t bit = 0; bit < 8 * c.len; bit++) {
		cleanup_close int fd = -1;
		struct revocations list;
		enum sbx_err err;

		c.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		err = open_bytes(crafted_view(&c), &list, &fd);
		if (err == SBX_OK) {
			assert_true(bit / 8 >= list.head_size);
			err = ask(&list, 1, 5);
		}
		if (err == SBX_OK || err == SBX_REVOKED)
			fail_msg("bit %zu: %s", bit, sbx_err_name(err));
		c.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	crafted_free(&c);
}

/* Cut between opening and asking: not a signal, and no yes. */
static void
test_cut_after_opening(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted c = list_craft(&spec);
	cleanup_close int fd = -1;
	struct revocations list;

	(void)state;
	assert_int_equal(open_bytes(crafted_view(&c), &list, &fd), SBX_OK);
	assert_int_equal(ftruncate(fd, (off_t)list.head_size + 3), 0);
	assert_int_equal(ask(&list, 1, 5), SBX_TRUNCATED);
	crafted_free(&c);
}

static void
test_not_a_file(void **state)
{
	struct revocations list;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(revocations_open(fds[0], &list, NULL), SBX_IO);
	assert_int_equal(revocations_open(-1, &list, NULL), SBX_IO);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* The first and the last one. */
static void
test_cas(void **state)
{
	static const struct list_spec spec = LIST_SPEC();
	struct crafted c = list_craft(&spec);
	cleanup_close int fd = -1;
	struct revocations list;
	uint8_t ca[32];

	(void)state;
	assert_int_equal(open_bytes(crafted_view(&c), &list, &fd), SBX_OK);
	memset(ca, 0x20, sizeof(ca));
	assert_int_equal(
	    revocations_check(&list, ca, 5, (struct view)KEY, NULL),
	    SBX_REVOKED);
	memset(ca, 0x30, sizeof(ca));
	assert_int_equal(
	    revocations_check(&list, ca, 5, (struct view)KEY, NULL),
	    SBX_REVOKED);
	ca[31]++;
	assert_int_equal(
	    revocations_check(&list, ca, 5, (struct view)KEY, NULL), SBX_OK);
	crafted_free(&c);
}

static const struct CMUnitTest more[] = {
	cmocka_unit_test(test_cut_anywhere),
	cmocka_unit_test(test_any_flipped_bit),
	cmocka_unit_test(test_cut_after_opening),
	cmocka_unit_test(test_not_a_file),
	cmocka_unit_test(test_cas),
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
