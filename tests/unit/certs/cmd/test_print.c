/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/cmd/print.h"
#include "common/text.h"
#include "tests/unit/craft.h"
#include "tests/unit/scratch.h"

/* Certificates that ssh-keygen issues; print must show them as it does. */
static const struct row {
	const char *name;
	const char *argv[24];
} rows[] = {
	{ "plain", { "-n", "run-1", "-z", "42", "-V", "+1h" } },
	{ "no principal", { "-V", "+1h" } },
	{ "many principals", { "-n", "a,b,c d,e", "-V", "+1h" } },
	{ "for ever", { "-V", "always:forever" } },
	{ "no end", { "-V", "20200101:forever" } },
	{ "no start", { "-V", "always:20300101000000Z" } },
	{ "summer and winter", { "-V", "20260701000000Z:20261224235959Z" } },
	{ "first second", { "-V", "0x1:0x2" } },
	{ "greatest serial", { "-z", "18446744073709551615" } },
	{ "host", { "-h", "-n", "example.org", "-V", "+1w" } },
	{ "nothing permitted", { "-O", "clear" } },
	{ "all options",
	    { "-O", "force-command=echo \"a\\n\"", "-O",
		"source-address=10.0.0.0/8,::1", "-O", "verify-required", "-O",
		"no-touch-required" } },
	{ "unknown options",
	    { "-O", "critical:flag@x", "-O", "critical:value@x=v", "-O",
		"extension:flag@x", "-O", "extension:value@x=v", "-O",
		"extension:single-use@sandbox-ssh" } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *const zones[] = { "UTC", "Europe/Berlin", "XYZ-5:45" };

#define ZONES (sizeof(zones) / sizeof(zones[0]))

/* The kinds of keys, and of CAs, whose names it must know. */
static const char *const kinds[][2] = {
	{ "ed25519", "256" },
	{ "ecdsa", "384" },
	{ "rsa", "2048" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int
enter(void **state)
{
	char name[32];

	if (scratch_enter(state) != 0)
		return -1;
	for (size_t i = 0; i < KINDS; i++) {
		(void)snprintf(name, sizeof(name), "%s", kinds[i][0]);
		if (RUN(NULL, "ssh-keygen", "-q", "-t", kinds[i][0], "-b",
			kinds[i][1], "-N", "", "-f", name) != 0)
			return -1;
	}
	return 0;
}

static void
parse_file(const char *name, struct buf *ret_blob, struct cert *ret)
{
	cleanup_buf struct buf text = BUF_INIT(16384);
	struct view rest, line;

	assert_int_equal(file_read(AT_FDCWD, name, &text, NULL), SBX_OK);
	rest = buf_view(&text);
	assert_true(text_next_line(&rest, &line));
	assert_int_equal(cert_parse_line(line, ret_blob, ret), SBX_OK);
}

static void
compare(const char *file)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct cert cert;

	parse_file(file, &blob, &cert);
	for (size_t i = 0; i < ZONES; i++) {
		cleanup_buf struct buf said = BUF_INIT(PRINT_MAX);
		cleanup_buf struct buf ours = BUF_INIT(PRINT_MAX);

		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		assert_int_equal(RUN(&said, "ssh-keygen", "-L", "-f", file), 0);
		buf_printf(&ours, "%s:\n", file);
		assert_int_equal(print_text(&cert, &ours), SBX_OK);
		assert_string_equal(buf_text(&ours), buf_text(&said));
	}
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	const char *argv[40] = { "ssh-keygen", "-q", "-s", "ed25519", "-I",
		"key id" };
	size_t n = 6;

	for (size_t i = 0; row->argv[i] != NULL; i++)
		argv[n++] = row->argv[i];
	argv[n] = "ed25519.pub";
	assert_int_equal(scratch_run(NULL, argv), 0);
	compare("ed25519-cert.pub");
}

static void
test_kinds_of_keys_and_cas(void **state)
{
	char public[32], certificate[32];

	(void)state;
	for (size_t i = 0; i < KINDS * KINDS; i++) {
		(void)snprintf(
		    public, sizeof(public), "%s.pub", kinds[i % KINDS][0]);
		(void)snprintf(certificate, sizeof(certificate), "%s-cert.pub",
		    kinds[i % KINDS][0]);
		assert_int_equal(RUN(NULL, "ssh-keygen", "-q", "-s",
				     kinds[i / KINDS][0], "-I", "id", public),
		    0);
		compare(certificate);
	}
}

static void
print_crafted(const struct craft *spec, bool json, struct buf *ret)
{
	struct crafted c = craft(spec);
	struct cert cert;

	assert_int_equal(cert_parse(crafted_view(&c), &cert), SBX_OK);
	assert_int_equal(
	    json ? print_json(&cert, ret) : print_text(&cert, ret), SBX_OK);
	crafted_free(&c);
}

static void
test_nothing_reaches_the_terminal(void **state)
{
	static const struct craft spec = CRAFT(.key_id = V("a\33[2J\nb\0"),
	    .principals = { V("p\nq") }, .signature_type = V("x\33"),
	    .critical = { { CRAFT_VALUE, V("force-command"), V("\33c"),
		V("") } },
	    .extensions = { { CRAFT_FLAG, V("\33\n"), V(""), V("") } });
	cleanup_buf struct buf text = BUF_INIT(PRINT_MAX);

	(void)state;
	print_crafted(&spec, false, &text);
	assert_null(strchr(buf_text(&text), '\33'));
	assert_non_null(strstr(buf_text(&text), "\"a\\x1b[2J\\x0ab\\x00\"\n"));
	assert_non_null(strstr(buf_text(&text), "p\\x0aq\n"));
	buf_reset(&text);
	print_crafted(&spec, true, &text);
	assert_null(strchr(buf_text(&text), '\33'));
	assert_int_equal(
	    strcspn(buf_text(&text), "\n"), strlen(buf_text(&text)) - 1);
}

static void
test_json(void **state)
{
	static const struct craft spec = CRAFT(.before = UINT64_MAX,
	    .principals = { V("run-1"), V("q\"") },
	    .critical = { { CRAFT_VALUE, V("force-command"), V("id"), V("") } },
	    .extensions = { { CRAFT_FLAG, V("permit-pty"), V(""), V("") },
		{ CRAFT_RAW, V("x"), V("\1\377"), V("") } });
	cleanup_buf struct buf text = BUF_INIT(PRINT_MAX);

	(void)state;
	print_crafted(&spec, true, &text);
	assert_string_equal(buf_text(&text),
	    "{\"type\":\"ssh-ed25519-cert-v01@openssh.com\",\"kind\":\"user\","
	    "\"public_key\":\"SHA256:"
	    "bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8\","
	    "\"ca\":{\"type\":\"ssh-ed25519\","
	    "\"fingerprint\":\"SHA256:fe85JkIjo8VPe+"
	    "XqXJGH5Mau1EMFdK1OdKvJUFicyA8\","
	    "\"signature_type\":\"ssh-ed25519\"},"
	    "\"key_id\":\"me/run-1/2a\",\"serial\":\"000000000000002a\","
	    "\"valid_after\":1799999940,\"valid_before\":null,"
	    "\"principals\":[\"run-1\",\"q\\\"\"],"
	    "\"critical_options\":[{\"name\":\"force-command\","
	    "\"value\":\"id\"}],"
	    "\"extensions\":[{\"name\":\"permit-pty\"},"
	    "{\"name\":\"x\",\"data\":\"01ff\"}]}\n");
}

/* The widest output that a certificate can have still fits. */
static void
test_widest(void **state)
{
	static uint8_t name[CERT_OPTIONS_MAX - 8];
	static const struct view filler = { name, sizeof(name) };
	const struct craft spec = CRAFT(.principals = { { name, 1024 } },
	    .critical = { { CRAFT_FLAG, filler, V(""), V("") } },
	    .extensions = { { CRAFT_FLAG, V("x"), V(""), V("") } });
	cleanup_buf struct buf text = BUF_INIT(PRINT_MAX);

	(void)state;
	memset(name, 0xff, sizeof(name));
	print_crafted(&spec, false, &text);
	buf_reset(&text);
	print_crafted(&spec, true, &text);
}

static void
test_malformed_ca(void **state)
{
	static const struct craft spec = CRAFT(.ca = V("x"));
	cleanup_buf struct buf text = BUF_INIT(PRINT_MAX);
	struct crafted c = craft(&spec);
	struct cert cert;

	(void)state;
	assert_int_equal(cert_parse(crafted_view(&c), &cert), SBX_OK);
	assert_int_not_equal(print_text(&cert, &text), SBX_OK);
	assert_int_not_equal(print_json(&cert, &text), SBX_OK);
	crafted_free(&c);
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(test_kinds_of_keys_and_cas),
	cmocka_unit_test(test_nothing_reaches_the_terminal),
	cmocka_unit_test(test_json),
	cmocka_unit_test(test_widest),
	cmocka_unit_test(test_malformed_ca),
};

#define PLAIN (sizeof(plain_tests) / sizeof(plain_tests[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + PLAIN];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, enter, scratch_leave);
}
