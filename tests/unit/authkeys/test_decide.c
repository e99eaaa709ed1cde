/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/decide.h"
#include "certs/build.h"

#define NOW UINT64_C(1790000000)

/* A deviation from a certificate and a gate that fit each other. */
struct row {
	const char *name;
	enum sbx_err want;
	unsigned permit; /* granted; only with SBX_OK */
	const char *user;
	const char *principal;
	uint32_t type;
	int64_t after, before; /* from NOW */
	uint64_t issued_after;
	unsigned cert_permit, gate_permit;
	bool single_use;	/* the certificate says so */
	int single_use_setting; /* enum gate_single_use */
	bool no_state;
	bool want_single_use;
	const char *source, *peer; /* NULL: anywhere; not known */
	bool stranger;		   /* signed by a CA that is not trusted */
};

#define FITS                                                           \
	.permit = PERMIT_PTY, .user = "sandbox", .principal = "run-1", \
	.type = CERT_TYPE_USER, .after = -60, .before = 3600,          \
	.cert_permit = PERMIT_PTY, .gate_permit = PERMIT_DEFAULT

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct row rows[] = {
	{ "fits", SBX_OK, FITS },
	{ "second of the login users", SBX_OK, FITS, .user = "root" },
	{ "second of the trusted CAs signs", SBX_OK, FITS },
	{ "account that is not listed", SBX_LOGIN_USER, FITS, .user = "www" },
	{ "account like a listed one", SBX_LOGIN_USER, FITS,
	    .user = "sandbox2" },
	{ "threat 1: other sandbox", SBX_WRONG_SANDBOX, FITS,
	    .principal = "run-2" },
	{ "longer id", SBX_WRONG_SANDBOX, FITS, .principal = "run-10" },
	{ "threat 7: host certificate", SBX_CERT_TYPE, FITS,
	    .type = CERT_TYPE_HOST, .cert_permit = 0 },
	{ "threat 8: unknown CA", SBX_CA_UNKNOWN, FITS, .stranger = true },
	{ "threat 2: ends now", SBX_EXPIRED, FITS, .before = 0 },
	{ "ends in a second", SBX_OK, FITS, .before = 1 },
	{ "starts at the end of the skew", SBX_OK, FITS, .after = 60 },
	{ "threat 3: starts beyond the skew", SBX_NOT_YET_VALID, FITS,
	    .after = 61 },
	{ "as long as allowed", SBX_OK, FITS, .before = 7140 },
	{ "threat 4: a second longer", SBX_LIFETIME, FITS, .before = 7141 },
	{ "as old as the sandbox", SBX_OK, FITS, .issued_after = NOW - 60 },
	{ "older than the sandbox", SBX_ISSUED_EARLIER, FITS,
	    .issued_after = NOW - 59 },
	{ "threat 15: from where it may", SBX_OK, FITS,
	    .source = "192.0.2.0/24", .peer = "192.0.2.9" },
	{ "threat 15: from elsewhere", SBX_SOURCE_ADDRESS, FITS,
	    .source = "192.0.2.0/24", .peer = "192.0.3.9" },
	{ "threat 15: from no network", SBX_SOURCE_ADDRESS, FITS,
	    .source = "0.0.0.0/0,::/0", .peer = "UNKNOWN" },
	{ "threat 15: from who knows where", SBX_OK, FITS,
	    .source = "192.0.2.0/24" },
	{ "from anywhere", SBX_OK, FITS, .peer = "192.0.3.9" },
	{ "single use", SBX_OK, FITS, .single_use = true,
	    .want_single_use = true },
	{ "single use, nowhere to remember it", SBX_SINGLE_USE, FITS,
	    .single_use = true, .no_state = true },
	{ "single use, never enforced", SBX_SINGLE_USE, FITS,
	    .single_use = true, .single_use_setting = GATE_SINGLE_USE_NEVER },
	{ "not marked, never enforced", SBX_OK, FITS,
	    .single_use_setting = GATE_SINGLE_USE_NEVER },
	{ "not marked, always enforced", SBX_OK, FITS,
	    .single_use_setting = GATE_SINGLE_USE_ALWAYS,
	    .want_single_use = true },
	{ "always enforced, nowhere to remember it", SBX_SINGLE_USE, FITS,
	    .single_use_setting = GATE_SINGLE_USE_ALWAYS, .no_state = true },
	{ "gate permits less", SBX_OK, FITS, .permit = 0,
	    .gate_permit = PERMIT_PORT },
	{ "certificate permits less", SBX_OK, FITS, .permit = 0,
	    .cert_permit = 0 },
	{ "both permit a part", SBX_OK, FITS, .permit = PERMIT_PORT,
	    .cert_permit = PERMIT_PORT | PERMIT_X11,
	    .gate_permit = PERMIT_PORT | PERMIT_PTY },
};
#pragma GCC diagnostic pop

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct keypair trusted_ca, stranger, user_key;

static int
make_keys(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	keypair_generate(&trusted_ca);
	keypair_generate(&stranger);
	keypair_generate(&user_key);
	return 0;
}

static void
issue(const struct row *row, struct buf *ret)
{
	static const uint8_t nonce[BUILD_NONCE_LEN] = { 1 };
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct cert_request request = {
		.type = row->type,
		.principal = row->principal,
		.key_id = "alice/run-1/7",
		.serial = 7,
		.valid_after = NOW + (uint64_t)row->after,
		.valid_before = NOW + (uint64_t)row->before,
		.permit = row->cert_permit,
		.single_use = row->single_use,
		.source_address = row->source,
	};

	key_put_ed25519(user_key.public, &key);
	request.public_key = buf_view(&key);
	assert_int_equal(
	    cert_issue(&request, nonce,
		CA_KEY(row->stranger ? &stranger : &trusted_ca), ret, NULL),
	    SBX_OK);
}

static struct gate_settings
settings_of(const struct row *row)
{
	struct gate_settings settings = {
		.id = "run-1",
		.login_users = { 2, { "sandbox", "root" } },
		.max_ttl = 7200,
		.clock_skew = 60,
		.issued_after = row->issued_after,
		.permit = row->gate_permit,
		.single_use = row->single_use_setting,
		.state_dir = "/nonexistent",
		.trusted = { .count = 2 },
	};

	if (row->no_state)
		settings.state_dir[0] = '\0';
	/* The one that counts stands last. */
	memset(settings.trusted.key[0], 0x58, KEY_ED25519_LEN);
	memcpy(settings.trusted.key[1], trusted_ca.public, KEY_ED25519_LEN);
	return settings;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct gate_settings settings = settings_of(row);
	cleanup_request struct request request = { .user = row->user,
		.blob = BUF_INIT(CERT_BLOB_MAX),
		.certificate = true };
	struct decision decision;
	struct sbx_why why = { "" };
	enum sbx_err err;

	if (row->peer != NULL)
		(void)snprintf(
		    request.peer, sizeof(request.peer), "%s", row->peer);
	issue(row, &request.blob);
	err = decide(&request, &settings, NOW, &decision, &why);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	assert_true(decision.parsed);
	assert_int_equal(decision.cert.serial, 7);
	if (err != SBX_OK)
		return;
	assert_int_equal(decision.permit, row->permit);
	assert_int_equal(decision.single_use, row->want_single_use);
	assert_ptr_equal(decision.ca, settings.trusted.key[1]);
}

/* Every bit counts: the signed part, the signature and all lengths. */
static void
test_any_flipped_bit_denies(void **state)
{
	struct gate_settings settings = settings_of(&rows[0]);
	cleanup_request struct request request = { .user = "sandbox",
		.blob = BUF_INIT(CERT_BLOB_MAX),
		.certificate = true };
	struct decision decision;

	(void)state;
	issue(&rows[0], &request.blob);
	for (size_t bit = 0; bit < request.blob.len * 8; bit++) {
		request.blob.p[bit / 8] ^= (uint8_t)(1U << (bit % 8));
		assert_int_not_equal(
		    decide(&request, &settings, NOW, &decision, NULL), SBX_OK);
		request.blob.p[bit / 8] ^= (uint8_t)(1U << (bit % 8));
	}
	assert_int_equal(
	    decide(&request, &settings, NOW, &decision, NULL), SBX_OK);
}

static void
test_any_truncation_denies(void **state)
{
	struct gate_settings settings = settings_of(&rows[0]);
	cleanup_request struct request request = { .user = "sandbox",
		.blob = BUF_INIT(CERT_BLOB_MAX),
		.certificate = true };
	struct decision decision;
	size_t len;

	(void)state;
	issue(&rows[0], &request.blob);
	len = request.blob.len;
	for (request.blob.len = 0; request.blob.len < len; request.blob.len++) {
		assert_int_not_equal(
		    decide(&request, &settings, NOW, &decision, NULL), SBX_OK);
		assert_false(decision.parsed);
	}
	buf_put_u8(&request.blob, 0);
	assert_int_equal(
	    decide(&request, &settings, NOW, &decision, NULL), SBX_TRAILING);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest){ "threat 9: any flipped bit denies",
		test_any_flipped_bit_denies, NULL, NULL, NULL };
	tests[ROWS + 1] =
	    (struct CMUnitTest){ "threat 10: any truncation denies",
		    test_any_truncation_denies, NULL, NULL, NULL };
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
