/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/build.h"
#include "tests/unit/craft.h"
#include "tests/unit/scratch.h"

static const uint8_t nonce[BUILD_NONCE_LEN + 1] =
    "0123456789abcdef0123456789abcdef";

#define REQUEST(...)                                                    \
	{                                                               \
		.type = CERT_TYPE_USER, .principal = "run-1",           \
		.key_id = "me/run-1/2a", .serial = 42,                  \
		.valid_after = CRAFT_NOW - 60,                          \
		.valid_before = CRAFT_NOW + 3600, .permit = PERMIT_PTY, \
		__VA_ARGS__                                             \
	}

#define FLAG(name)                                \
	{                                         \
		CRAFT_FLAG, V(name), V(""), V("") \
	}
#define VALUE(name, value)                            \
	{                                             \
		CRAFT_VALUE, V(name), V(value), V("") \
	}

static const char *const two_aliases[] = { "run-1", "192.0.2.7", NULL };
static const char *const bad_aliases[] = { "run-1", "a,b", NULL };

/* What is built, and the same written byte by byte. */
static const struct pair {
	const char *name;
	struct cert_request request;
	struct craft craft;
} pairs[] = {
	{ "plain", REQUEST(), CRAFT() },
	{ "host", REQUEST(.type = CERT_TYPE_HOST, .permit = 0),
	    CRAFT(.type = 2, .extensions = { { 0 } }) },
	{ "host with several names",
	    REQUEST(.type = CERT_TYPE_HOST, .permit = 0,
		.principal = "run-1.sandbox", .aliases = two_aliases),
	    CRAFT(.type = 2, .extensions = { { 0 } },
		.principals = { V("run-1.sandbox"), V("run-1"),
		    V("192.0.2.7") }) },
	{ "nothing permitted", REQUEST(.permit = 0),
	    CRAFT(.extensions = { { 0 } }) },
	{ "all of it",
	    REQUEST(.permit = ~0U, .force_command = "id -u",
		.source_address = "10.0.0.0/8,::1"),
	    CRAFT(.critical = { VALUE("force-command", "id -u"),
		      VALUE("source-address", "10.0.0.0/8,::1") },
		.extensions = { FLAG("permit-X11-forwarding"),
		    FLAG("permit-agent-forwarding"),
		    FLAG("permit-port-forwarding"), FLAG("permit-pty"),
		    FLAG("permit-user-rc") }) },
	{ "single use", REQUEST(.single_use = true),
	    CRAFT(.extensions = { FLAG("permit-pty"),
		      FLAG("single-use@sandbox-ssh") }) },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static enum sbx_err
issue(const struct cert_request *base, struct buf *ret, struct sbx_why *why)
{
	static const struct view point = CRAFT_POINT;
	cleanup_buf struct buf key = BUF_INIT(256);
	struct cert_request request = *base;
	struct keypair ca;

	craft_ca(1, ca.public, ca.secret);
	key_put_ed25519(point.p, &key);
	if (request.public_key.p == NULL)
		request.public_key = buf_view(&key);
	return cert_issue(&request, nonce, CA_KEY(&ca), ret, why);
}

static void
test_pair(void **state)
{
	const struct pair *pair = *state;
	cleanup_buf struct buf built = BUF_INIT(CERT_BLOB_MAX);
	struct crafted crafted = craft(&pair->craft);

	assert_int_equal(issue(&pair->request, &built, NULL), SBX_OK);
	assert_int_equal(built.len, crafted.len);
	assert_memory_equal(built.p, crafted.p, crafted.len);
	crafted_free(&crafted);
}

static const struct refused {
	const char *name;
	enum sbx_err want;
	struct cert_request request;
} refused[] = {
	{ "type 3", SBX_CERT_TYPE, REQUEST(.type = 3) },
	{ "empty principal", SBX_BAD_NAME, REQUEST(.principal = "") },
	{ "principal with comma", SBX_BAD_NAME, REQUEST(.principal = "a,b") },
	{ "empty key id", SBX_KEY_ID, REQUEST(.key_id = "") },
	{ "key id with newline", SBX_KEY_ID, REQUEST(.key_id = "a\nb") },
	{ "serial 0", SBX_SERIAL_ZERO, REQUEST(.serial = 0) },
	{ "no time", SBX_VALIDITY, REQUEST(.valid_before = CRAFT_NOW - 60) },
	{ "for ever", SBX_LIFETIME, REQUEST(.valid_before = UINT64_MAX) },
	{ "empty command", SBX_OPTION_VALUE, REQUEST(.force_command = "") },
	{ "empty source", SBX_OPTION_VALUE, REQUEST(.source_address = "") },
	{ "source with host bits", SBX_OPTION_VALUE,
	    REQUEST(.source_address = "10.0.0.1/8") },
	{ "host name for a user", SBX_BAD_NAME,
	    REQUEST(.principal = "run-1.sandbox") },
	{ "aliases for a user", SBX_PRINCIPALS,
	    REQUEST(.aliases = two_aliases) },
	{ "pattern for a host", SBX_BAD_NAME,
	    REQUEST(.type = CERT_TYPE_HOST, .permit = 0,
		.principal = "*.sandbox") },
	{ "pattern among a host's aliases", SBX_BAD_NAME,
	    REQUEST(.type = CERT_TYPE_HOST, .permit = 0,
		.aliases = bad_aliases) },
	{ "host with pty", SBX_CERT_TYPE, REQUEST(.type = CERT_TYPE_HOST) },
	{ "no key", SBX_TRUNCATED, REQUEST(.public_key = V("")) },
	{ "a certificate as key", SBX_KEY_TYPE,
	    REQUEST(.public_key =
			V("\0\0\0\40ssh-ed25519-cert-v01@openssh.com")) },
};

#define REFUSED (sizeof(refused) / sizeof(refused[0]))

static void
test_refused(void **state)
{
	const struct refused *row = *state;
	cleanup_buf struct buf built = BUF_INIT(CERT_BLOB_MAX);

	assert_string_equal(sbx_err_name(issue(&row->request, &built, NULL)),
	    sbx_err_name(row->want));
	assert_int_equal(built.len, 0);
}

static void
test_names_of_a_host(void **state)
{
	static const char *aliases[BUILD_ALIASES_MAX + 2];
	struct cert_request request =
	    REQUEST(.type = CERT_TYPE_HOST, .permit = 0, .aliases = aliases);
	cleanup_buf struct buf built = BUF_INIT(CERT_BLOB_MAX);

	(void)state;
	for (size_t i = 0; i < BUILD_ALIASES_MAX; i++)
		aliases[i] = "run-2";
	assert_int_equal(issue(&request, &built, NULL), SBX_OK);
	aliases[BUILD_ALIASES_MAX] = "run-3";
	assert_int_equal(issue(&request, &built, NULL), SBX_PRINCIPALS);
}

static void
test_command_too_long(void **state)
{
	char command[CERT_OPTIONS_MAX + 1];
	struct cert_request request = REQUEST(.force_command = command);
	cleanup_buf struct buf built = BUF_INIT(CERT_BLOB_MAX);
	struct sbx_why why = { "" };

	(void)state;
	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	assert_int_equal(issue(&request, &built, &why), SBX_TOO_LARGE);
	assert_int_equal(built.len, 0);
	assert_string_not_equal(why.text, "");
}

static void
test_appends(void **state)
{
	static const struct cert_request request = REQUEST();
	cleanup_buf struct buf built = BUF_INIT(CERT_BLOB_MAX);
	struct cert cert;

	(void)state;
	buf_put_text(&built, "before");
	assert_int_equal(issue(&request, &built, NULL), SBX_OK);
	assert_memory_equal(built.p, "before", 6);
	assert_int_equal(
	    cert_parse(VIEW(built.p + 6, built.len - 6), &cert), SBX_OK);
}

static void
test_ssh_keygen_reads_it(void **state)
{
	static const struct cert_request request =
	    REQUEST(.force_command = "id -u", .source_address = "10.0.0.0/8",
		.single_use = true);
	cleanup_buf struct buf built = BUF_INIT(CERT_BLOB_MAX);
	cleanup_buf struct buf line = BUF_INIT(8192), said = BUF_INIT(8192);

	(void)state;
	assert_int_equal(issue(&request, &built, NULL), SBX_OK);
	key_put_line(buf_view(&built), "me", &line);
	buf_put_text(&line, "\n");
	assert_true(scratch_write("key-cert.pub", 0644, buf_view(&line)));
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	assert_int_equal(
	    RUN(&said, "ssh-keygen", "-L", "-f", "key-cert.pub"), 0);
	assert_string_equal(buf_text(&said),
	    "key-cert.pub:\n"
	    "        Type: ssh-ed25519-cert-v01@openssh.com user certificate\n"
	    "        Public key: ED25519-CERT "
	    "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8\n"
	    "        Signing CA: ED25519 "
	    "SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8 "
	    "(using ssh-ed25519)\n"
	    "        Key ID: \"me/run-1/2a\"\n"
	    "        Serial: 42\n"
	    "        Valid: from 2027-01-15T07:59:00 to 2027-01-15T09:00:00\n"
	    "        Principals: \n"
	    "                run-1\n"
	    "        Critical Options: \n"
	    "                force-command id -u\n"
	    "                source-address 10.0.0.0/8\n"
	    "        Extensions: \n"
	    "                permit-pty\n"
	    "                single-use@sandbox-ssh UNKNOWN FLAG OPTION\n");
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(test_names_of_a_host),
	cmocka_unit_test(test_command_too_long),
	cmocka_unit_test(test_appends),
	cmocka_unit_test(test_ssh_keygen_reads_it),
};

#define PLAIN (sizeof(plain_tests) / sizeof(plain_tests[0]))

int
main(void)
{
	struct CMUnitTest tests[PAIRS + REFUSED + PLAIN];

	for (size_t i = 0; i < PAIRS; i++)
		tests[i] = (struct CMUnitTest){ pairs[i].name, test_pair, NULL,
			NULL, (void *)&pairs[i] };
	for (size_t i = 0; i < REFUSED; i++)
		tests[PAIRS + i] = (struct CMUnitTest){ refused[i].name,
			test_refused, NULL, NULL, (void *)&refused[i] };
	memcpy(tests + PAIRS + REFUSED, plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
