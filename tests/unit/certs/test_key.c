/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/key.h"
#include "tests/unit/craft.h"
#include "tests/unit/scratch.h"

struct row {
	const char *name;
	enum sbx_err want;
	struct view blob;
};

#define ROW(name, want, bytes)       \
	{                            \
		name, want, V(bytes) \
	}

#define X32 "0123456789abcdef0123456789abcdef"
#define X64 X32 X32
#define ED25519 "\0\0\0\13ssh-ed25519"
#define SK_ED25519 "\0\0\0\32sk-ssh-ed25519@openssh.com"
#define P256 "\0\0\0\23ecdsa-sha2-nistp256\0\0\0\10nistp256"
#define RSA "\0\0\0\7ssh-rsa"
#define E "\0\0\0\3\1\0\1"
/* 2048 bits: a zero, 0x80, 254 more, an odd last one */
#define N255                                           \
	X64 X64 X64 "0123456789abcdef0123456789abcdef" \
		    "0123456789abcdef0123456789abcd"

static const struct row rows[] = {
	ROW("ed25519", SBX_OK, ED25519 "\0\0\0\40" X32),
	ROW("sk-ed25519", SBX_OK, SK_ED25519 "\0\0\0\40" X32 "\0\0\0\4ssh:"),
	ROW("nistp256", SBX_OK, P256 "\0\0\0\101\4" X64),
	ROW("rsa 2048", SBX_OK, RSA E "\0\0\1\1\0\200" N255 "\1"),

	ROW("nothing", SBX_TRUNCATED, ""),
	ROW("only a type", SBX_TRUNCATED, ED25519),
	ROW("empty type", SBX_KEY_TYPE, "\0\0\0\0"),
	ROW("dsa", SBX_KEY_TYPE, "\0\0\0\7ssh-dss"),
	ROW("a certificate", SBX_KEY_TYPE,
	    "\0\0\0\40ssh-ed25519-cert-v01@openssh.com"),
	ROW("type with NUL", SBX_KEY_TYPE,
	    "\0\0\0\14ssh-ed25519\0\0\0\0\40" X32),
	ROW("tail", SBX_TRAILING, ED25519 "\0\0\0\40" X32 "x"),
	ROW("ed25519 of 31 bytes", SBX_KEY_MALFORMED,
	    ED25519 "\0\0\0\37"
		    "0123456789abcdef0123456789abcde"),
	ROW("ed25519 without point", SBX_KEY_MALFORMED, ED25519 "\0\0\0\0"),
	ROW("sk without application", SBX_KEY_MALFORMED,
	    SK_ED25519 "\0\0\0\40" X32 "\0\0\0\0"),
	ROW("sk cut short", SBX_TRUNCATED, SK_ED25519 "\0\0\0\40" X32),
	ROW("curve of another", SBX_KEY_MALFORMED,
	    "\0\0\0\23ecdsa-sha2-nistp256\0\0\0\10nistp384\0\0\0\101\4" X64),
	ROW("compressed point", SBX_KEY_MALFORMED, P256 "\0\0\0\41\2" X32),
	ROW("hybrid point", SBX_KEY_MALFORMED, P256 "\0\0\0\101\6" X64),
	ROW("point too long", SBX_KEY_MALFORMED, P256 "\0\0\0\102\4" X64 "x"),
	ROW("point at infinity", SBX_KEY_MALFORMED, P256 "\0\0\0\1\0"),
	ROW("rsa 2047", SBX_KEY_WEAK, RSA E "\0\0\1\0\177" N255 "\1"),
	ROW("rsa negative", SBX_KEY_MALFORMED, RSA E "\0\0\1\0\200" N255 "\1"),
	ROW("rsa with zeros in front", SBX_KEY_MALFORMED,
	    RSA E "\0\0\1\2\0\0\200" N255 "\1"),
	ROW("rsa with a needless zero", SBX_KEY_MALFORMED,
	    RSA E "\0\0\1\2\0\177\377" N255 "\1"),
	ROW("rsa even", SBX_KEY_MALFORMED, RSA E "\0\0\1\1\0\200" N255 "\2"),
	ROW("rsa exponent 1", SBX_KEY_MALFORMED,
	    RSA "\0\0\0\1\1\0\0\1\1\0\200" N255 "\1"),
	ROW("rsa exponent 0", SBX_KEY_MALFORMED,
	    RSA "\0\0\0\0\0\0\1\1\0\200" N255 "\1"),
	ROW("rsa exponent of 9 bytes", SBX_KEY_MALFORMED,
	    RSA "\0\0\0\11\1\0\0\0\0\0\0\0\1\0\0\1\1\0\200" N255 "\1"),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct public_key key;

	assert_string_equal(
	    sbx_err_name(key_parse(row->blob, &key)), sbx_err_name(row->want));
}

/* Every y of a point of small order, also not reduced, with both signs. */
static void
test_small_orders(void **state)
{
	static const char *const points[] = {
		"00000000000000000000000000000000000000000000000000000000000000"
		"00",
		"01000000000000000000000000000000000000000000000000000000000000"
		"00",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
		"05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
		"7a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"f2ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(points) / sizeof(points[0]); i++) {
		cleanup_buf struct buf blob = BUF_INIT(256);
		uint8_t point[32];
		struct public_key key;

		assert_int_equal(sodium_hex2bin(point, sizeof(point),
				     points[i / 2], 64, NULL, NULL, NULL),
		    0);
		point[31] |= (uint8_t)(i % 2 << 7);
		key_put_ed25519(point, &blob);
		assert_int_equal(
		    key_parse(buf_view(&blob), &key), SBX_KEY_MALFORMED);
	}
}

static const struct line_row {
	const char *name;
	enum sbx_err want;
	const char *line;
} lines[] = {
#define B64 \
	"AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
	{ "line", SBX_OK, "ssh-ed25519 " B64 },
	{ "line with comment", SBX_OK, "ssh-ed25519 " B64 " me at home" },
	{ "line with tabs", SBX_OK, " ssh-ed25519\t" B64 "\tme" },
	{ "empty line", SBX_KEY_MALFORMED, "" },
	{ "line with one word", SBX_KEY_MALFORMED, "ssh-ed25519" },
	{ "line of another type", SBX_TYPE_MISMATCH, "ssh-rsa " B64 },
	{ "line with a longer type", SBX_TYPE_MISMATCH, "ssh-ed255199 " B64 },
	{ "line with options", SBX_ENCODING, "pty ssh-ed25519 " B64 },
	{ "line with extra =", SBX_ENCODING, "ssh-ed25519 " B64 "====" },
	{ "line with one character less", SBX_ENCODING,
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv" },
	{ "line with trailing bits", SBX_ENCODING,
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamB==" },
	{ "line with CR", SBX_ENCODING, "ssh-ed25519 " B64 "\r" },
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

static void
test_line(void **state)
{
	const struct line_row *row = *state;
	cleanup_buf struct buf blob = BUF_INIT(1024), again = BUF_INIT(1024);
	struct public_key key;

	/* The blob stands behind what the buffer holds. */
	buf_put_text(&blob, "before");
	assert_string_equal(
	    sbx_err_name(key_parse_line(VIEW_STR(row->line), &blob, &key)),
	    sbx_err_name(row->want));
	if (row->want != SBX_OK)
		return;
	assert_int_equal(key.blob.len, 51);
	key_put_line(key.blob, "c", &again);
	assert_string_equal(buf_text(&again), "ssh-ed25519 " B64 " c");
}

static void
test_fingerprint_as_ssh_keygen(void **state)
{
	cleanup_buf struct buf said = BUF_INIT(1024), blob = BUF_INIT(1024);
	char fingerprint[KEY_FINGERPRINT_LEN];
	struct public_key key;
	uint8_t point[KEY_ED25519_LEN];

	(void)state;
	assert_true(scratch_write(
	    "key.pub", 0644, VIEW_STR("ssh-ed25519 " B64 " me\n")));
	assert_int_equal(
	    RUN(&said, "ssh-keygen", "-l", "-E", "sha256", "-f", "key.pub"), 0);
	assert_int_equal(
	    key_parse_line(VIEW_STR("ssh-ed25519 " B64), &blob, &key), SBX_OK);
	key_fingerprint(key.blob, fingerprint);
	assert_int_equal(strlen(fingerprint), KEY_FINGERPRINT_LEN - 1);
	assert_non_null(strstr(buf_text(&said), fingerprint));
	assert_int_equal(key_ed25519(&key, point), SBX_OK);
	assert_memory_equal(point, "\xd7\x5a\x98\x01", 4);
}

static void
test_only_plain_ed25519_has_a_point(void **state)
{
	uint8_t point[KEY_ED25519_LEN];
	struct public_key key;

	(void)state;
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(key_parse(rows[i].blob, &key), SBX_OK);
		assert_int_equal(key_ed25519(&key, point), SBX_KEY_TYPE);
	}
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(test_small_orders),
	cmocka_unit_test(test_fingerprint_as_ssh_keygen),
	cmocka_unit_test(test_only_plain_ed25519_has_a_point),
};

#define PLAIN (sizeof(plain_tests) / sizeof(plain_tests[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + LINES + PLAIN];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	for (size_t i = 0; i < LINES; i++)
		tests[ROWS + i] = (struct CMUnitTest){ lines[i].name, test_line,
			NULL, NULL, (void *)&lines[i] };
	memcpy(tests + ROWS + LINES, plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
