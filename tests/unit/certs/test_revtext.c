/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/revtext.h"

/* RFC 8032, section 7.1, test 1. */
#define CA                                                             \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO" \
	"4XLz2qYjJa8CGmj3BxEa"
#define CA_FINGERPRINT "SHA256:N/b/d7Qx2+P8LQ5pKIWBmOp5ZEvxoJjeyzUiPq4GtFk"
#define PRINT "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ISSUER "issuer " CA "\n"

static const struct row {
	const char *name;
	const char *text;
	const char *want; /* what comes out again, or the error's place */
	enum sbx_err err;
} rows[] = {
	{ "nothing", "", "", SBX_OK },
	{ "comments", "# one\n\n  \t# two", "", SBX_OK },
	{ "serials", "serial 0x1f\nserial 000000000000002A\n",
	    ISSUER "serial 0x1f\nserial 0x2a\n", SBX_OK },
	{ "a range", "\tserial  0x10-0x20 ", ISSUER "serial 0x10-0x20\n",
	    SBX_OK },
	{ "a range of two forms", "serial 0x0-00000000000000ff",
	    ISSUER "serial 0x0-0xff\n", SBX_OK },
	{ "all serials", "serial 0x0-0xffffffffffffffff",
	    ISSUER "serial 0x0-0xffffffffffffffff\n", SBX_OK },
	{ "ranges become one", "serial 0x3\nserial 0x1-0x2\nserial 0x3",
	    ISSUER "serial 0x1-0x3\n", SBX_OK },
	{ "another issuer", "serial 0x1\n" ISSUER "serial 0x2\n",
	    ISSUER "serial 0x1-0x2\n", SBX_OK },
	{ "a fingerprint", "key " PRINT "\n", "key " PRINT "\n", SBX_OK },
	{ "a key", "key " CA " me@home\n", "key " CA_FINGERPRINT "\n", SBX_OK },
	{ "a CA", "ca " CA " comment", "ca " CA "\n", SBX_OK },
	{ "a bare number", "serial 12\n", "t:1: ", SBX_BAD_VALUE },
	{ "no digits", "serial 0x\n", "t:1: ", SBX_BAD_VALUE },
	{ "17 digits", "\nserial 0x10000000000000000\n",
	    "t:2: ", SBX_BAD_VALUE },
	{ "17 digits without 0x", "serial 00000000000000001\n",
	    "t:1: ", SBX_BAD_VALUE },
	{ "no hexadecimal digit", "serial 0x1g\n", "t:1: ", SBX_BAD_VALUE },
	{ "a sign", "serial 0x-1\n", "t:1: ", SBX_BAD_VALUE },
	{ "a range backwards", "serial 0x2-0x1\n", "t:1: ", SBX_BAD_VALUE },
	{ "a range without an end", "serial 0x2-\n", "t:1: ", SBX_BAD_VALUE },
	{ "two serials", "serial 0x2 0x3\n", "t:1: ", SBX_BAD_VALUE },
	{ "no serial", "serial\n", "t:1: ", SBX_BAD_VALUE },
	{ "a short fingerprint", "key SHA256:AAAA\n", "t:1: ", SBX_BAD_VALUE },
	{ "bits after a fingerprint",
	    "key SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
	    "t:1: ", SBX_ENCODING },
	{ "no key", "key\n", "t:1: ", SBX_ENCODING },
	{ "a CA of another kind", "ca ecdsa-sha2-nistp256 AAAA\n",
	    "t:1: ", SBX_ENCODING },
	{ "an unknown word", "serial 0x1\nserials 0x2\n",
	    "t:2: ", SBX_BAD_VALUE },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
get_ca(uint8_t ret[static KEY_ED25519_LEN])
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	struct public_key key;

	assert_int_equal(key_parse_line(VIEW_STR(CA), &blob, &key), SBX_OK);
	assert_int_equal(key_ed25519(&key, ret), SBX_OK);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf out = BUF_INIT(65536);
	cleanup_revset struct revset set, again;
	struct sbx_why why = { "" };
	uint8_t ca[KEY_ED25519_LEN];
	enum sbx_err err;

	revset_init(&set);
	revset_init(&again);
	get_ca(ca);
	err = revtext_parse("t", VIEW_STR(row->text), ca, &set, &why);
	if (row->err != SBX_OK) {
		assert_int_not_equal(err, SBX_OK);
		if (strncmp(why.text, row->want, strlen(row->want)) != 0)
			fail_msg("%s", why.text);
		return;
	}
	assert_int_equal(err, SBX_OK);
	assert_int_equal(revset_sort(&set), SBX_OK);
	revtext_put(&set, &out);
	assert_string_equal(buf_text(&out), row->want);

	/* What was printed says the same, also without a default issuer. */
	memset(ca, 0, sizeof(ca));
	assert_int_equal(
	    revtext_parse("t", buf_view(&out), ca, &again, NULL), SBX_OK);
	assert_int_equal(revset_sort(&again), SBX_OK);
	buf_reset(&out);
	revtext_put(&again, &out);
	assert_string_equal(buf_text(&out), row->want);
}

static void
test_json(void **state)
{
	static const char text[] =
	    "ca " CA "\nkey " PRINT "\nserial 0x1\nserial 0xff-0x100\n";
	cleanup_buf struct buf out = BUF_INIT(65536);
	cleanup_revset struct revset set;
	uint8_t ca[KEY_ED25519_LEN];

	(void)state;
	revset_init(&set);
	get_ca(ca);
	assert_int_equal(
	    revtext_parse("t", VIEW_STR(text), ca, &set, NULL), SBX_OK);
	assert_int_equal(revset_sort(&set), SBX_OK);
	revtext_put_json(&set, &out);
	assert_string_equal(buf_text(&out),
	    "\"cas\":[\"" CA "\"],\"keys\":[\"" PRINT
	    "\"],\"serials\":[{\"issuer\":\"" CA "\",\"ranges\":["
	    "[\"0000000000000001\",\"0000000000000001\"],"
	    "[\"00000000000000ff\",\"0000000000000100\"]]}]");
}

/* As --serial uses it; nothing is set by what is refused. */
static void
test_serials(void **state)
{
	uint64_t first = 1, last = 2;

	(void)state;
	assert_int_equal(
	    revtext_serials(VIEW_STR("0x5-0x4"), &first, &last), SBX_BAD_VALUE);
	assert_int_equal(
	    revtext_serials(VIEW_STR(""), &first, &last), SBX_BAD_VALUE);
	assert_int_equal(first, 1);
	assert_int_equal(last, 2);
	assert_int_equal(
	    revtext_serials(VIEW_STR("0x4-0x5"), &first, &last), SBX_OK);
	assert_int_equal(first, 4);
	assert_int_equal(last, 5);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	if (sodium_init() < 0)
		return 99;
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_json);
	tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(test_serials);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
