/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/audit.h"
#include "certs/build.h"

#define NO_KEY          \
	{               \
		NULL, 0 \
	}
#define FIELDS " serial= key= ca= keyid="

/* Without a certificate. */
static const struct row {
	const char *name;
	struct audit audit;
	const char *want;
} rows[] = {
	{ "settings are broken",
	    { SBX_CONFIG, "sandbox", "", NULL, "/etc/x:3: unknown key 'y'",
		NO_KEY },
	    "deny reason=config user=sandbox sandbox=" FIELDS
	    " detail=\"/etc/x:3: unknown key 'y'\"" },
	{ "no particulars",
	    { SBX_ENCODING, "sandbox", "run-1", NULL, "", NO_KEY },
	    "deny reason=encoding user=sandbox sandbox=run-1" FIELDS },
	{ "nothing known", { SBX_USAGE, "", "", NULL, "", NO_KEY },
	    "deny reason=usage user= sandbox=" FIELDS },
	{ "user name that looks like fields",
	    { SBX_ENCODING, "x sandbox=run-2\nallow user=\"\\", "run-1", NULL,
		"", NO_KEY },
	    "deny reason=encoding "
	    "user=x\\x20sandbox=run-2\\x0aallow\\x20user=\\x22\\x5c "
	    "sandbox=run-1" FIELDS },
	{ "detail that ends its quotes",
	    { SBX_CONFIG, "a", "b", NULL, "x\" user=\"y\n\x1b[2J", NO_KEY },
	    "deny reason=config user=a sandbox=b" FIELDS
	    " detail=\"x' user='y\\x0a\\x1b[2J\"" },
	{ "the chained command's answer",
	    { SBX_OK, "sandbox", "run-1", NULL, "/bin/x %u", NO_KEY },
	    "chained user=sandbox sandbox=run-1" FIELDS
	    " detail=\"/bin/x %u\"" },
	{ "it failed, for a key",
	    { SBX_THEN, "sandbox", "run-1", NULL, "/bin/x ended with status 1",
		{ (const uint8_t *)"key", 3 } },
	    "deny reason=then user=sandbox sandbox=run-1 serial= "
	    "key=SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM ca= keyid= "
	    "detail=\"/bin/x ended with status 1\"" },
	{ "user name of 65 bytes",
	    { SBX_ENCODING,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"a"
		"aa",
		"b", NULL, "", NO_KEY },
	    "deny reason=encoding "
	    "user=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaa... sandbox=b" FIELDS },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);

	audit_put(&row->audit, &line);
	assert_int_equal(buf_error(&line), SBX_OK);
	assert_string_equal(buf_text(&line), row->want);
}

/* A certificate's own fields; its key id is a stranger's text. */
static void
put_with_key_id(struct view key_id, enum sbx_err err, struct buf *line)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 7 };
	static const uint8_t nonce[BUILD_NONCE_LEN] = { 1 };
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct cert_request request = { .type = CERT_TYPE_USER,
		.principal = "run-1",
		.key_id = "k",
		.serial = 0xabc,
		.valid_after = 1,
		.valid_before = 2 };
	struct audit audit = { err, "sandbox", "run-1", NULL, "", NO_KEY };
	struct keypair pair;
	struct cert cert;

	crypto_sign_seed_keypair(pair.public, pair.secret, seed);
	key_put_ed25519(pair.public, &key);
	request.public_key = buf_view(&key);
	assert_int_equal(
	    cert_issue(&request, nonce, CA_KEY(&pair), &blob, NULL), SBX_OK);
	assert_int_equal(cert_parse(buf_view(&blob), &cert), SBX_OK);
	cert.key_id = key_id;
	audit.cert = &cert;
	audit_put(&audit, line);
	assert_int_equal(buf_error(line), SBX_OK);
}

#define PRINT "SHA256:6N2Z+2fjK19peuYn8BcXEDt3q9SNJwTVFHSsSHENmI0"

static void
test_certificate(void **state)
{
	cleanup_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);

	(void)state;
	put_with_key_id(VIEW_STR("al ice"), SBX_EXPIRED, &line);
	assert_string_equal(buf_text(&line),
	    "deny reason=expired user=sandbox sandbox=run-1 "
	    "serial=2748 key=" PRINT " ca=" PRINT " keyid=al\\x20ice");
	buf_reset(&line);
	put_with_key_id(VIEW_STR("alice/run-1/abc"), SBX_OK, &line);
	assert_string_equal(buf_text(&line),
	    "allow user=sandbox sandbox=run-1 "
	    "serial=2748 key=" PRINT " ca=" PRINT " keyid=alice/run-1/abc");
}

/* The worst that can be said still fits. */
static void
test_longest_line_fits(void **state)
{
	static const uint8_t zeros[CERT_KEY_ID_MAX];
	cleanup_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);
	char worst[SBX_WHY_MAX];
	struct audit audit = { SBX_ISSUED_EARLIER, worst, worst, NULL, worst,
		NO_KEY };

	(void)state;
	memset(worst, '\1', sizeof(worst) - 1);
	worst[sizeof(worst) - 1] = '\0';
	put_with_key_id(VIEW(zeros, sizeof(zeros)), SBX_KEY_ID, &line);
	audit_put(&audit, &line);
	assert_int_equal(buf_error(&line), SBX_OK);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_certificate);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_longest_line_fits);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
