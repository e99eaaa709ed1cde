/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/check.h"
#include "common/text.h"
#include "tests/unit/craft.h"
#include "tests/unit/scratch.h"

struct row {
	const char *name;
	enum sbx_err want;
	struct craft craft;
};

#define ROW(name, want, ...)                   \
	{                                      \
		name, want, CRAFT(__VA_ARGS__) \
	}
#define FLAG(name)                                \
	{                                         \
		CRAFT_FLAG, V(name), V(""), V("") \
	}
#define VALUE(name, value)                            \
	{                                             \
		CRAFT_VALUE, V(name), V(value), V("") \
	}
#define RAW(name, value)                            \
	{                                           \
		CRAFT_RAW, V(name), V(value), V("") \
	}
#define LONG_63 \
	"a23456789012345678901234567890123456789012345678901234567890123"
#define SK_FIELDS                                                           \
	"\0\0\0\40\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64" \
	"\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07"  \
	"\x51\x1a\0\0\0\4ssh:"
#define SECURITY_KEY                                           \
	.type_name = V("sk-ssh-ed25519-cert-v01@openssh.com"), \
	.key = { NULL, 0 }, .key_fields = V(SK_FIELDS)

static const struct row rows[] = {
	ROW("a good one", SBX_OK),
	ROW("threat 7: host certificate", SBX_CERT_TYPE, .type = 2),
	ROW("threat 7: type 0", SBX_CERT_TYPE, .type = 0),
	ROW("threat 7: type 3", SBX_CERT_TYPE, .type = 3),
	ROW("reserved field used", SBX_CERT_RESERVED, .reserved = V("x")),
	ROW("no nonce", SBX_CERT_NONCE, .nonce = V("")),
	ROW("nonce of 15 bytes", SBX_CERT_NONCE, .nonce = V("0123456789abcde")),
	ROW("nonce of 16 bytes", SBX_OK, .nonce = V("0123456789abcdef")),
	ROW("threat 23: serial 0", SBX_SERIAL_ZERO, .serial = 0),
	ROW("greatest serial", SBX_OK, .serial = UINT64_MAX),
	ROW("no key id", SBX_KEY_ID, .key_id = V("")),
	ROW("key id with newline", SBX_KEY_ID, .key_id = V("a\nb")),
	ROW("key id with NUL", SBX_KEY_ID, .key_id = V("a\0b")),
	ROW("key id with DEL", SBX_KEY_ID, .key_id = V("a\177b")),
	ROW("key id with UTF-8", SBX_KEY_ID, .key_id = V("a\303\251")),
	ROW("key id with blank", SBX_OK, .key_id = V("a b")),

	ROW("threat 5: no principal", SBX_PRINCIPALS,
	    .principals = { { NULL, 0 } }),
	ROW("threat 6: two principals", SBX_PRINCIPALS,
	    .principals = { V("run-1"), V("run-2") }),
	ROW("threat 6: the same one twice", SBX_PRINCIPALS,
	    .principals = { V("run-1"), V("run-1") }),
	ROW("threat 6: an empty one beside it", SBX_PRINCIPALS,
	    .principals = { V("run-1"), V("") }),
	ROW("threat 6: 256 principals", SBX_PRINCIPALS, .repeat = 256),
	ROW("threat 1: another sandbox", SBX_WRONG_SANDBOX,
	    .principals = { V("run-2") }),
	ROW("threat 1: a longer name", SBX_WRONG_SANDBOX,
	    .principals = { V("run-12") }),
	ROW("threat 1: a shorter name", SBX_WRONG_SANDBOX,
	    .principals = { V("run") }),
	ROW("a long name", SBX_WRONG_SANDBOX, .principals = { V(LONG_63) }),
	ROW("threat 6: empty name", SBX_PRINCIPAL_NAME,
	    .principals = { V("") }),
	ROW("threat 6: name with comma", SBX_PRINCIPAL_NAME,
	    .principals = { V("evil,run-1") }),
	ROW("threat 6: name with NUL", SBX_PRINCIPAL_NAME,
	    .principals = { V("run-1\0") }),
	ROW("threat 6: name with quote", SBX_PRINCIPAL_NAME,
	    .principals = { V("run-1\"") }),
	ROW("threat 6: name with star", SBX_PRINCIPAL_NAME,
	    .principals = { V("run-*") }),
	ROW("threat 6: name with newline", SBX_PRINCIPAL_NAME,
	    .principals = { V("run-1\n") }),
	ROW("threat 6: name with blank", SBX_PRINCIPAL_NAME,
	    .principals = { V(" run-1") }),
	ROW("name in capitals", SBX_PRINCIPAL_NAME,
	    .principals = { V("RUN-1") }),
	ROW("name too long", SBX_PRINCIPAL_NAME,
	    .principals = { V(LONG_63 "4") }),

	ROW("no extensions", SBX_OK, .extensions = { { 0 } }),
	ROW("threat 12: extension twice", SBX_OPTION_ORDER,
	    .extensions = { FLAG("permit-pty"), FLAG("permit-pty") }),
	ROW("threat 12: extensions unsorted", SBX_OPTION_ORDER,
	    .extensions = { FLAG("permit-user-rc"), FLAG("permit-pty") }),
	ROW("threat 12: unknown extensions unsorted", SBX_OPTION_ORDER,
	    .extensions = { FLAG("b"), FLAG("a") }),
	ROW("threat 12: critical option twice", SBX_OPTION_ORDER,
	    .critical = { VALUE("force-command", "a"),
		VALUE("force-command", "b") }),
	ROW("threat 12: critical options unsorted", SBX_OPTION_ORDER,
	    .critical = { VALUE("source-address", "10.0.0.0/8"),
		VALUE("force-command", "b") }),
	ROW("threat 13: unknown extension", SBX_OK,
	    .extensions = { FLAG("x@example.org") }),
	ROW("threat 13: unknown extension with data", SBX_OK,
	    .extensions = { VALUE("x@example.org", "y") }),
	ROW("threat 14: extension with data", SBX_OPTION_VALUE,
	    .extensions = { VALUE("permit-pty", "") }),
	ROW("threat 14: extension with a byte", SBX_OPTION_VALUE,
	    .extensions = { RAW("permit-pty", "x") }),
	ROW("threat 14: single-use with data", SBX_OPTION_VALUE,
	    .extensions = { VALUE("single-use@sandbox-ssh", "no") }),
	ROW("threat 13: unknown critical option", SBX_OPTION_UNKNOWN,
	    .critical = { FLAG("x@example.org") }),
	ROW("critical option without name", SBX_OPTION_UNKNOWN,
	    .critical = { FLAG("") }),
	ROW("extension among the critical", SBX_OPTION_UNKNOWN,
	    .critical = { FLAG("permit-pty") }),
	ROW("single-use among the critical", SBX_OPTION_UNKNOWN,
	    .critical = { FLAG("single-use@sandbox-ssh") }),
	ROW("threat 14: force-command among the extensions", SBX_OPTION_PLACE,
	    .extensions = { VALUE("force-command", "id") }),
	ROW("threat 14: source-address among the extensions", SBX_OPTION_PLACE,
	    .extensions = { VALUE("source-address", "10.0.0.0/8") }),
	ROW("threat 14: verify-required among the extensions", SBX_OPTION_PLACE,
	    .extensions = { FLAG("verify-required") }),
	ROW("threat 14: value not nested", SBX_OPTION_VALUE,
	    .critical = { RAW("force-command", "id") }),
	ROW("threat 14: value without data", SBX_OPTION_VALUE,
	    .critical = { FLAG("force-command") }),
	ROW("empty command", SBX_OPTION_VALUE,
	    .critical = { VALUE("force-command", "") }),
	ROW("command with NUL", SBX_OPTION_VALUE,
	    .critical = { VALUE("force-command", "id\0") }),
	ROW("threat 14: tail of a value", SBX_OPTION_VALUE,
	    .critical = { { CRAFT_VALUE, V("force-command"), V("id"),
		V("x") } }),
	ROW("threat 14: length of a value wraps", SBX_OPTION_VALUE,
	    .critical = { RAW("force-command", "\377\377\377\377id") }),
	ROW("source address", SBX_OK,
	    .critical = { VALUE("source-address", "10.0.0.0/8,2001:db8::1") }),
	ROW("threat 15: source address with host bits", SBX_OPTION_VALUE,
	    .critical = { VALUE("source-address", "10.0.0.1/8") }),
	ROW("threat 15: empty source address", SBX_OPTION_VALUE,
	    .critical = { VALUE("source-address", "") }),
	ROW("threat 15: mapped source address", SBX_OPTION_VALUE,
	    .critical = { VALUE("source-address", "::ffff:10.0.0.1") }),
	ROW("verify-required of a plain key", SBX_OPTION_UNKNOWN,
	    .critical = { FLAG("verify-required") }),
	ROW("verify-required of a security key", SBX_OK, SECURITY_KEY,
	    .critical = { FLAG("verify-required") }),
	ROW("verify-required with data", SBX_OPTION_VALUE, SECURITY_KEY,
	    .critical = { RAW("verify-required", "x") }),

	ROW("unknown CA", SBX_CA_UNKNOWN,
	    .ca = V("\0\0\0\13ssh-ed25519\0\0\0\40"
		    "0123456789abcdef0123456789abcdef")),
	ROW("wrong signature", SBX_CERT_SIGNATURE, .signature = CRAFT_BY_OTHER),
	ROW("signature S + L", SBX_CERT_SIGNATURE, .signature = CRAFT_PLUS_L),
	/* what is cheap is judged first */
	ROW("expired and wrongly signed", SBX_EXPIRED, .before = CRAFT_NOW,
	    .signature = CRAFT_BY_OTHER),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define DAY (24 * 3600)
#define POLICY                                                             \
	{                                                                  \
		.sandbox_id = "run-1", .now = CRAFT_NOW, .clock_skew = 60, \
		.max_ttl = DAY, .permit = ~0U                              \
	}

static enum sbx_err
judge_blob(
    struct view blob, const struct cert_policy *policy, struct cert_grant *ret)
{
	uint8_t secret[64];
	struct ca_set trusted = { .count = 2 };
	struct cert_policy with_ca = *policy;
	struct cert cert;
	enum sbx_err err = cert_parse(blob, &cert);

	craft_ca(3, trusted.key[0], secret);
	craft_ca(1, trusted.key[1], secret);
	with_ca.trusted = &trusted;
	return err != SBX_OK ? err : cert_check(&cert, &with_ca, ret);
}

static enum sbx_err
judge(const struct craft *spec, const struct cert_policy *policy)
{
	struct crafted c = craft(spec);
	struct cert_grant grant;
	enum sbx_err err = judge_blob(crafted_view(&c), policy, &grant);

	crafted_free(&c);
	return err;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct cert_policy policy = POLICY;

	assert_string_equal(
	    sbx_err_name(judge(&row->craft, &policy)), sbx_err_name(row->want));
}

struct times {
	const char *name;
	uint64_t after, before, now, floor;
	enum sbx_err want;
};

static const struct times times[] = {
	{ "first second", 100, 200, 100, 0, SBX_OK },
	{ "last second", 100, 200, 199, 0, SBX_OK },
	{ "threat 2: expired just now", 100, 200, 200, 0, SBX_EXPIRED },
	{ "threat 2: expired long ago", 100, 200, INT64_MAX, 0, SBX_EXPIRED },
	{ "ahead within the skew", 160, 200, 100, 0, SBX_OK },
	{ "threat 3: ahead beyond the skew", 161, 200, 100, 0,
	    SBX_NOT_YET_VALID },
	{ "threat 3: far ahead", UINT64_MAX - 9, UINT64_MAX - 1, 100, 0,
	    SBX_NOT_YET_VALID },
	{ "threat 4: now + skew wraps", UINT64_MAX - 9, UINT64_MAX - 1,
	    UINT64_MAX - 20, 0, SBX_OK },
	{ "threat 3: no time at all", 100, 100, 100, 0, SBX_VALIDITY },
	{ "threat 3: backwards", 200, 100, 150, 0, SBX_VALIDITY },
	{ "threat 4: backwards and wide", UINT64_MAX, 0, 150, 0, SBX_VALIDITY },
	{ "a day", 100, 100 + DAY, 150, 0, SBX_OK },
	{ "threat 4: a day and a second", 100, 101 + DAY, 150, 0,
	    SBX_LIFETIME },
	{ "threat 4: always and for ever", 0, UINT64_MAX, 150, 0,
	    SBX_LIFETIME },
	{ "threat 4: short, but for ever", UINT64_MAX - 9, UINT64_MAX,
	    UINT64_MAX - 5, 0, SBX_LIFETIME },
	{ "at the floor", 100, 200, 150, 100, SBX_OK },
	{ "below the floor", 100, 200, 150, 101, SBX_ISSUED_EARLIER },
};

#define TIMES (sizeof(times) / sizeof(times[0]))

static void
test_times(void **state)
{
	const struct times *t = *state;
	const struct craft spec = CRAFT(.after = t->after, .before = t->before);
	struct cert_policy policy = POLICY;

	policy.now = t->now;
	policy.issued_after = t->floor;
	assert_string_equal(
	    sbx_err_name(judge(&spec, &policy)), sbx_err_name(t->want));
}

static void
test_grant(void **state)
{
	static const struct craft spec = CRAFT(SECURITY_KEY,
	    .critical = { VALUE("force-command", "id -u"),
		VALUE("source-address", "10.0.0.0/8"),
		FLAG("verify-required") },
	    .extensions = { FLAG("permit-X11-forwarding"), FLAG("permit-pty"),
		FLAG("single-use@sandbox-ssh") });
	struct cert_policy policy = POLICY;
	struct crafted c = craft(&spec);
	struct cert_grant grant;

	(void)state;
	policy.permit = PERMIT_PTY | PERMIT_PORT;
	assert_int_equal(judge_blob(crafted_view(&c), &policy, &grant), SBX_OK);
	assert_int_equal(grant.permit, PERMIT_PTY);
	assert_true(grant.single_use);
	assert_true(grant.verify_required);
	assert_true(view_eq_str(grant.force_command, "id -u"));
	assert_true(view_eq_str(grant.source_address, "10.0.0.0/8"));
	crafted_free(&c);
}

static void
test_nothing_is_granted_on_refusal(void **state)
{
	static const struct craft spec = CRAFT(.signature = CRAFT_ZERO);
	const struct cert_policy policy = POLICY;
	struct crafted c = craft(&spec);
	struct cert_grant grant, before;

	(void)state;
	memset(&grant, 0x5a, sizeof(grant));
	memcpy(&before, &grant, sizeof(grant));
	assert_int_equal(
	    judge_blob(crafted_view(&c), &policy, &grant), SBX_CERT_SIGNATURE);
	assert_memory_equal(&grant, &before, sizeof(grant));
	crafted_free(&c);
}

static void
test_every_bit_flipped(void **state)
{
	static const struct craft spec =
	    CRAFT(.critical = { VALUE("force-command", "id"),
		      VALUE("source-address", "10.0.0.0/8") });
	const struct cert_policy policy = POLICY;
	struct crafted c = craft(&spec);
	struct cert_grant grant;

	(void)state;
	for (size_t bit = 0; bit < 8 * c.len; bit++) {
		uint8_t mask = (uint8_t)(1 << bit % 8);

		c.p[bit / 8] ^= mask;
		assert_int_not_equal(
		    judge_blob(crafted_view(&c), &policy, &grant), SBX_OK);
		c.p[bit / 8] ^= mask;
	}
	assert_int_equal(judge_blob(crafted_view(&c), &policy, &grant), SBX_OK);
	crafted_free(&c);
}

/* What ssh-keygen issues for exactly such a login passes; its time is real. */
static void
test_issued_by_ssh_keygen(void **state)
{
	cleanup_buf struct buf ca = BUF_INIT(1024), text = BUF_INIT(8192);
	cleanup_buf struct buf blob = BUF_INIT(8192);
	struct cert_policy policy = POLICY;
	struct view rest, line;
	struct cert_grant grant;
	struct ca_set trusted;
	struct cert cert;

	(void)state;
	assert_int_equal(RUN(NULL, "ssh-keygen", "-q", "-t", "ed25519", "-N",
			     "", "-f", "ca"),
	    0);
	assert_int_equal(RUN(NULL, "ssh-keygen", "-q", "-t", "ed25519", "-N",
			     "", "-f", "key"),
	    0);
	assert_int_equal(
	    RUN(NULL, "ssh-keygen", "-q", "-s", "ca", "-I", "me", "-n", "run-1",
		"-z", "1", "-V", "20270101000000Z:20270101010000Z", "-O",
		"no-pty", "-O", "source-address=10.0.0.0/8", "key.pub"),
	    0);
	assert_int_equal(file_read(AT_FDCWD, "ca.pub", &ca, NULL), SBX_OK);
	assert_int_equal(
	    file_read(AT_FDCWD, "key-cert.pub", &text, NULL), SBX_OK);
	assert_int_equal(
	    ca_set_parse("ca.pub", buf_view(&ca), &trusted, NULL), SBX_OK);
	rest = buf_view(&text);
	assert_true(text_next_line(&rest, &line));
	assert_int_equal(cert_parse_line(line, &blob, &cert), SBX_OK);
	policy.trusted = &trusted;
	policy.now = 1798761600 + 1800; /* 2027-01-01 00:30 UTC */
	assert_int_equal(cert_check(&cert, &policy, &grant), SBX_OK);
	assert_int_equal(grant.permit,
	    PERMIT_X11 | PERMIT_AGENT | PERMIT_PORT | PERMIT_USER_RC);
	assert_true(view_eq_str(grant.source_address, "10.0.0.0/8"));
	policy.now = 1798761600 + 3600;
	assert_int_equal(cert_check(&cert, &policy, &grant), SBX_EXPIRED);
}

#define CA_1                                                                  \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qY" \
	"jJa8CGmj3B1Ea"
/* The neutral element: every signature of zeros fits it. */
#define CA_NEUTRAL                                                            \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAA"
#define CA_ECDSA                                                              \
	"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY" \
	"AAABBBAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSor"   \
	"LC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

static const struct ca_row {
	const char *name;
	const char *text;
	size_t want; /* keys, 0: refused */
	const char *where;
} ca_rows[] = {
	{ "one CA", CA_1 "\n", 1, NULL },
	{ "without newline", CA_1, 1, NULL },
	{ "two, comments, empty lines",
	    "# a\n\n" CA_1 " x\n  # b\n" CA_1 " y\n", 2, NULL },
	{ "empty file", "", 0, "f:" },
	{ "only comments", "# a\n", 0, "f:" },
	{ "not a key", "# a\nhello\n", 0, "f:2:" },
	{ "a word in front", "cert-authority " CA_1 "\n", 0, "f:1:" },
	{ "another type", CA_1 "\n" CA_ECDSA "\n", 0, "f:2:" },
	{ "threat 16: small order", CA_NEUTRAL "\n", 0, "f:1:" },
};

#define CA_ROWS (sizeof(ca_rows) / sizeof(ca_rows[0]))

static void
test_ca_row(void **state)
{
	const struct ca_row *row = *state;
	struct sbx_why why = { "" };
	struct ca_set set = { 0 };
	enum sbx_err err = ca_set_parse("f", VIEW_STR(row->text), &set, &why);

	assert_int_equal(err, row->want > 0 ? SBX_OK : SBX_CONFIG);
	assert_int_equal(set.count, row->want);
	if (row->where != NULL)
		assert_memory_equal(why.text, row->where, strlen(row->where));
}

static void
test_ca_limit(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(65536);
	struct ca_set set;

	(void)state;
	for (size_t i = 0; i < CHECK_CA_MAX; i++)
		buf_put_text(&text, CA_1 "\n");
	assert_int_equal(
	    ca_set_parse("f", buf_view(&text), &set, NULL), SBX_OK);
	buf_put_text(&text, CA_1 "\n");
	assert_int_equal(
	    ca_set_parse("f", buf_view(&text), &set, NULL), SBX_CONFIG);
}

/* A sum of the base point and a point of order 8 is on the curve, no more. */
static void
test_ca_outside_the_subgroup(void **state)
{
	static const uint8_t order_8[32] = { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2,
		0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38,
		0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 };
	static const uint8_t one[32] = { 1 };
	cleanup_buf struct buf blob = BUF_INIT(256), line = BUF_INIT(256);
	uint8_t base[32], sum[32];
	struct ca_set set;

	(void)state;
	assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(base, one), 0);
	assert_int_equal(crypto_core_ed25519_add(sum, base, order_8), 0);
	key_put_ed25519(sum, &blob);
	key_put_line(buf_view(&blob), NULL, &line);
	assert_int_equal(
	    ca_set_parse("f", buf_view(&line), &set, NULL), SBX_OK);
	assert_int_equal(ca_set_check("f", &set, NULL), SBX_CONFIG);
	memcpy(set.key[0], base, sizeof(base));
	assert_int_equal(ca_set_check("f", &set, NULL), SBX_OK);
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(test_grant),
	cmocka_unit_test(test_nothing_is_granted_on_refusal),
	{ "threat 9: every bit flipped", test_every_bit_flipped, NULL, NULL,
	    NULL },
	cmocka_unit_test(test_issued_by_ssh_keygen),
	cmocka_unit_test(test_ca_limit),
	cmocka_unit_test(test_ca_outside_the_subgroup),
};

#define PLAIN (sizeof(plain_tests) / sizeof(plain_tests[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + TIMES + CA_ROWS + PLAIN];
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	for (size_t i = 0; i < TIMES; i++)
		tests[n++] = (struct CMUnitTest){ times[i].name, test_times,
			NULL, NULL, (void *)&times[i] };
	for (size_t i = 0; i < CA_ROWS; i++)
		tests[n++] = (struct CMUnitTest){ ca_rows[i].name, test_ca_row,
			NULL, NULL, (void *)&ca_rows[i] };
	memcpy(tests + n, plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
