/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/request.h"
#include "common/text.h"

#define ED "ssh-ed25519"
#define ED_CERT "ssh-ed25519-cert-v01@openssh.com"
/* An Ed25519 key, and no more of a certificate than its type. */
#define ED_64                                                      \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUW" \
	"FxgZGhscHR4f"
#define ED_CERT_64 "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t"
#define DSS_64 "AAAAB3NzaC1kc3M="

static const struct row {
	const char *name;
	const char *user, *type, *key;
	enum sbx_err want;
	bool certificate;
} rows[] = {
	{ "threat 18: plain key", "sandbox", ED, ED_64, SBX_OK, false },
	{ "certificate", "sandbox", ED_CERT, ED_CERT_64, SBX_OK, true },
	{ "threat 17: plain type, certificate inside", "sandbox", ED,
	    ED_CERT_64, SBX_TYPE_MISMATCH, false },
	{ "threat 17: certificate's type, plain key inside", "sandbox", ED_CERT,
	    ED_64, SBX_TYPE_MISMATCH, false },
	{ "type in other case", "sandbox", "SSH-ED25519", ED_64,
	    SBX_TYPE_MISMATCH, false },
	{ "type that is only a prefix", "sandbox", "ssh-ed2551", ED_64,
	    SBX_TYPE_MISMATCH, false },
	{ "unknown type", "sandbox", "ssh-dss", DSS_64, SBX_KEY_TYPE, false },
	{ "no user", "", ED, ED_64, SBX_TRUNCATED, false },
	{ "no type", "sandbox", "", ED_64, SBX_TRUNCATED, false },
	{ "no key", "sandbox", ED, "", SBX_TRUNCATED, false },
	{ "key without a type", "sandbox", ED, "AAAA", SBX_TRUNCATED, false },
	{ "type name cut short", "sandbox", ED, "AAAAC3NzaC0=", SBX_TRUNCATED,
	    false },
	{ "threat 11: type name of 4 GiB", "sandbox", ED,
	    "/////3NzaC0=", SBX_TRUNCATED, false },
	{ "threat 17: white space before", "sandbox", ED, " " ED_64,
	    SBX_ENCODING, false },
	{ "threat 17: newline after", "sandbox", ED, ED_64 "\n", SBX_ENCODING,
	    false },
	{ "threat 17: white space inside", "sandbox", "ssh-dss",
	    "AAAAB3Nz aC1kc3M=", SBX_ENCODING, false },
	{ "threat 17: padding missing", "sandbox", "ssh-dss", "AAAAB3NzaC1kc3M",
	    SBX_ENCODING, false },
	{ "threat 17: padding too much", "sandbox", "ssh-dss",
	    "AAAAB3NzaC1kc3M==", SBX_ENCODING, false },
	{ "threat 17: bits after the end", "sandbox", "ssh-dss",
	    "AAAAB3NzaC1kc3N=", SBX_ENCODING, false },
	{ "URL alphabet", "sandbox", ED, "____", SBX_ENCODING, false },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_request struct request request;
	enum sbx_err err =
	    request_parse(row->user, row->type, row->key, &request, NULL);

	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	if (err == SBX_OK)
		assert_int_equal(request.certificate, row->certificate);
}

/* The caps: the first size beyond each is refused, whatever it holds. */
static void
test_sizes(void **state)
{
	static char user[REQUEST_USER_MAX + 2], type[KEY_TYPE_MAX + 2],
	    key[REQUEST_KEY_MAX + 2];
	struct {
		const char *user, *type, *key;
	} calls[] = { { user, ED, ED_64 }, { "sandbox", type, ED_64 },
		{ "sandbox", ED, key } };

	(void)state;
	memset(user, 'a', sizeof(user) - 1);
	memset(type, 'a', sizeof(type) - 1);
	memset(key, 'A', sizeof(key) - 1);
	for (size_t i = 0; i < 3; i++) {
		cleanup_request struct request request;
		struct sbx_why why;

		assert_int_equal(request_parse(calls[i].user, calls[i].type,
				     calls[i].key, &request, &why),
		    SBX_TOO_LARGE);
		assert_non_null(strstr(why.text, "longer than"));
	}
}

/* The largest blob that is no certificate any more is stopped by its cap. */
static void
test_blob_cap(void **state)
{
	cleanup_buf struct buf bytes = BUF_INIT(CERT_BLOB_MAX + 1);
	cleanup_buf struct buf text = BUF_INIT(REQUEST_KEY_MAX + 8);
	cleanup_request struct request request;
	uint8_t *p;

	(void)state;
	buf_put_cstring(&bytes, ED_CERT);
	p = buf_grow(&bytes, CERT_BLOB_MAX + 1 - bytes.len);
	assert_non_null(p);
	text_base64_encode(buf_view(&bytes), &text);
	assert_int_equal(buf_error(&text), SBX_OK);
	assert_int_equal(
	    request_parse("sandbox", ED_CERT, buf_text(&text), &request, NULL),
	    SBX_TOO_LARGE);
}

/* What sshd makes of %C. */
static void
test_connection(void **state)
{
	static char longest[REQUEST_PEER_MAX + 1], longer[REQUEST_PEER_MAX + 2],
	    large[REQUEST_CONNECTION_MAX + 2] = "192.0.2.1 ";
	static const struct {
		const char *connection, *peer; /* NULL: refused */
	} words[] = {
		{ "192.0.2.7 50000 192.0.2.1 22", "192.0.2.7" },
		{ "2001:db8::7 50000 2001:db8::1 22", "2001:db8::7" },
		{ "fe80::1%eth0 50000 fe80::2%eth0 22", "fe80::1" },
		{ "UNKNOWN 65535 UNKNOWN 65535", "UNKNOWN" },
		{ "192.0.2.7", "192.0.2.7" },
		{ "", NULL },
		{ " 192.0.2.7", NULL },
		{ "%C", NULL },
		{ longest, longest },
		{ longer, NULL },
		{ large, NULL },
	};

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	memset(longer, 'a', sizeof(longer) - 1);
	memset(large + strlen(large), 'a', sizeof(large) - 1 - strlen(large));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct request request = { .user = "sandbox" };
		enum sbx_err err =
		    request_set_connection(&request, words[i].connection, NULL);

		assert_int_equal(
		    err, words[i].peer == NULL ? SBX_BAD_VALUE : SBX_OK);
		if (err == SBX_OK)
			assert_string_equal(request.peer, words[i].peer);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_sizes);
	tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(test_blob_cap);
	tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test(test_connection);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
