/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/build.h"
#include "proxycmd/resolve/answer.h"

#define NOW 1800000000
#define TTL 3600

/* An honest answer is the row of zeros; every other row is one lie. */
struct row {
	const char *name;
	enum sbx_err want;
	const char *why;

	bool other_key;
	bool host_certificate;
	bool single_use;
	const char *broker;
	const char *principal;
	int64_t after; /* added to the honest times */
	int64_t before;
	int64_t clock; /* the broker's, against ours */
	bool silent;   /* it does not say */
	bool no_ttl;   /* none was asked for */
	bool flip;     /* a bit of the signature */
	const char *id;
	const char *incarnation;
	const char *user;
	const char *state;
	const char *endpoint;		  /* "" for an empty list */
	const char *host_key;		  /* "" for an empty list */
	const char *certificate;	  /* instead of the one that was made */
	int64_t expires;		  /* from now; 0: not told */
	const struct keypair *trusted[2]; /* CAs that are; NULL: any */
};

static struct keypair user_key, other_key, ca_key, host_key;

static const struct row rows[] = {
	{ .name = "an honest answer" },
	{ .name = "a stopped sandbox without endpoints",
	    .state = "stopped",
	    .endpoint = "" },
	{ .name = "no word of which it is", .incarnation = "" },
	{ .name = "an incarnation with a blank",
	    .want = SBX_REFUSED,
	    .why = "incarnation is malformed",
	    .incarnation = "a b" },
	{ .name = "a single use", .single_use = true },
	{ .name = "an endpoint on the network",
	    .broker = "https://broker.example",
	    .endpoint = "tcp://192.0.2.1:22" },
	{ .name = "a certificate that ends sooner", .before = -600 },
	{ .name = "a certificate for another key",
	    .want = SBX_REFUSED,
	    .why = "another key",
	    .other_key = true },
	{ .name = "a certificate for another sandbox",
	    .want = SBX_REFUSED,
	    .why = "another sandbox",
	    .principal = "run-2" },
	{ .name = "a longer life than was asked for",
	    .want = SBX_REFUSED,
	    .why = "longer",
	    .before = 120 },
	{ .name = "one that has expired",
	    .want = SBX_REFUSED,
	    .why = "expired",
	    .before = -TTL },
	{ .name = "one that is not valid yet",
	    .want = SBX_REFUSED,
	    .why = "not valid yet",
	    .after = 600 },
	{ .name = "our clock is three minutes behind",
	    .clock = 180,
	    .after = 180,
	    .before = 180 },
	{ .name = "our clock is three hours ahead",
	    .clock = -3 * 3600,
	    .after = -3 * 3600,
	    .before = -3 * 3600 },
	{ .name = "a second is nothing", .clock = 1 },
	{ .name = "expired by the broker's own clock",
	    .want = SBX_REFUSED,
	    .why = "not to be trusted: certificate has expired",
	    .clock = 180,
	    .before = -TTL },
	{ .name = "one clock is wrong, and nobody knows which",
	    .want = SBX_STATE,
	    .why = "by this machine's clock (2027-01-15 08:00:00 UTC) the "
		   "certificate is not valid yet",
	    .silent = true,
	    .after = 600 },
	{ .name = "a token by the broker's clock",
	    .user = "token",
	    .certificate = "",
	    .clock = 7200,
	    .expires = 7200 + 600 },
	{ .name = "no life was asked for", .no_ttl = true },
	{ .name = "a longer one than is given unasked",
	    .want = SBX_REFUSED,
	    .why = "longer",
	    .no_ttl = true,
	    .before = 120 },
	{ .name = "a host certificate",
	    .want = SBX_REFUSED,
	    .why = "user certificate",
	    .host_certificate = true },
	{ .name = "a wrong signature",
	    .want = SBX_REFUSED,
	    .why = "signature",
	    .flip = true },
	{ .name = "no certificate",
	    .want = SBX_REFUSED,
	    .certificate = "ssh-ed25519-cert-v01@openssh.com" },
	{ .name = "two lines",
	    .want = SBX_PROTOCOL,
	    .why = "control",
	    .certificate = "a b\nc d" },
	{ .name = "another id",
	    .want = SBX_REFUSED,
	    .why = "another sandbox",
	    .id = "run-2" },
	{ .name = "a user that is an option",
	    .want = SBX_REFUSED,
	    .why = "user name",
	    .user = "-oProxyCommand=x" },
	{ .name = "a user of two lines",
	    .want = SBX_PROTOCOL,
	    .why = "control",
	    .user = "a\nProxyCommand x" },
	{ .name = "a socket here, named from the network",
	    .want = SBX_REFUSED,
	    .why = "this machine",
	    .broker = "https://broker.example",
	    .endpoint = "unix:/run/x" },
	{ .name = "a multiplexed socket here, named from the network",
	    .want = SBX_REFUSED,
	    .why = "this machine",
	    .broker = "https://broker.example",
	    .endpoint = "unix-mux:/run/x#1" },
	{ .name = "a command here, named from the network",
	    .want = SBX_REFUSED,
	    .why = "this machine",
	    .broker = "https://broker.example",
	    .endpoint = "exec:a/b" },
	{ .name = "a web service here, named from the network",
	    .want = SBX_REFUSED,
	    .why = "this machine",
	    .broker = "https://broker.example",
	    .endpoint = "ws://127.0.0.1:80/x" },
	{ .name = "another one than the broker itself",
	    .want = SBX_REFUSED,
	    .why = "this machine",
	    .broker = "http://127.0.0.1:81",
	    .endpoint = "ws://127.0.0.1:80/x" },
	{ .name = "the broker itself, which is here",
	    .broker = "http://127.0.0.1:80/",
	    .endpoint = "ws://127.0.0.1:80/x" },
	{ .name = "a virtual machine here, named from the network",
	    .want = SBX_REFUSED,
	    .why = "this machine",
	    .broker = "https://broker.example",
	    .endpoint = "vsock:3:22" },
	{ .name = "an endpoint of an unknown kind",
	    .want = SBX_REFUSED,
	    .why = "unknown",
	    .endpoint = "gopher://a" },
	{ .name = "a path with a blank", .endpoint = "unix:/home/a b/s" },
	{ .name = "a host with a blank",
	    .want = SBX_REFUSED,
	    .why = "endpoint",
	    .endpoint = "tcp://a b:22" },
	{ .name = "a running sandbox without endpoints",
	    .want = SBX_REFUSED,
	    .why = "endpoint",
	    .endpoint = "" },
	{ .name = "no host key",
	    .want = SBX_REFUSED,
	    .why = "host key",
	    .host_key = "" },
	{ .name = "a host key that is none",
	    .want = SBX_REFUSED,
	    .why = "host key",
	    .host_key = "ssh-ed25519 AAAA" },
	{ .name = "a host key with a marker",
	    .want = SBX_REFUSED,
	    .why = "host key",
	    .host_key = "@cert-authority * ssh-ed25519 AAAA" },
	{ .name = "a CA that is pinned", .trusted = { &ca_key } },
	{ .name = "one of two CAs that are pinned",
	    .trusted = { &other_key, &ca_key } },
	{ .name = "a CA that is not pinned",
	    .want = SBX_REFUSED,
	    .why = "unknown CA",
	    .trusted = { &other_key } },
	{ .name = "a gateway's token for a user, and no certificate",
	    .user = "sbx#A1b2.c=d/e+f@g:h",
	    .certificate = "",
	    .expires = 600 },
	{ .name = "a token that lives longer is taken for as long as asked",
	    .user = "token",
	    .certificate = "",
	    .expires = 10L * TTL },
	{ .name = "a token without an end",
	    .want = SBX_REFUSED,
	    .why = "expires_at",
	    .user = "token",
	    .certificate = "" },
	{ .name = "a token that has ended",
	    .want = SBX_REFUSED,
	    .why = "expires_at",
	    .user = "token",
	    .certificate = "",
	    .expires = -1 },
	{ .name = "a token while a CA is pinned",
	    .want = SBX_REFUSED,
	    .why = "trusted_ca",
	    .user = "token",
	    .certificate = "",
	    .expires = 600,
	    .trusted = { &ca_key } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
put_certificate(const struct row *row, struct buf *ret_line)
{
	static const uint8_t nonce[BUILD_NONCE_LEN] = { 1 };
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct cert_request request = {
		.type = row->host_certificate ? CERT_TYPE_HOST : CERT_TYPE_USER,
		.principal = row->principal == NULL ? "run-1" : row->principal,
		.key_id = "me/run-1/1",
		.serial = 1,
		.valid_after = (uint64_t)(NOW - 60 + row->after),
		.valid_before = (uint64_t)(NOW + TTL + row->before),
		.permit = row->host_certificate ? 0 : PERMIT_DEFAULT,
		.single_use = row->single_use,
	};

	key_put_ed25519(
	    row->other_key ? other_key.public : user_key.public, &key);
	request.public_key = buf_view(&key);
	assert_int_equal(
	    cert_issue(&request, nonce, CA_KEY(&ca_key), &blob, NULL), SBX_OK);
	if (row->flip)
		blob.p[blob.len - 1] ^= 1;
	key_put_line(buf_view(&blob), NULL, ret_line);
}

static struct json_object *
one_or_none(const char *text)
{
	struct json_object *array = json_object_new_array();

	if (*text != '\0')
		(void)json_object_array_add(
		    array, json_object_new_string(text));
	return array;
}

static void
add(struct json_object *object, const char *name, const char *text,
    const char *honest)
{
	(void)json_object_object_add(
	    object, name, json_object_new_string(text == NULL ? honest : text));
}

static struct json_object *
answer_of(const struct row *row)
{
	cleanup_buf struct buf line = BUF_INIT(ANSWER_CERT_LEN);
	cleanup_buf struct buf host = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf host_line = BUF_INIT(KEY_BLOB_MAX);
	struct json_object *object = json_object_new_object();

	put_certificate(row, &line);
	key_put_ed25519(host_key.public, &host);
	key_put_line(buf_view(&host), "a comment", &host_line);
	add(object, "id", row->id, "run-1");
	add(object, "incarnation", row->incarnation, "00ff");
	add(object, "user", row->user, "sandbox");
	add(object, "state", row->state, "running");
	add(object, "certificate", row->certificate, buf_text(&line));
	if (row->expires != 0)
		(void)json_object_object_add(object, "expires_at",
		    json_object_new_int64(NOW + row->expires));
	(void)json_object_object_add(object, "endpoints",
	    one_or_none(row->endpoint == NULL ? "unix:/run/x" : row->endpoint));
	(void)json_object_object_add(object, "host_keys",
	    one_or_none(
		row->host_key == NULL ? buf_text(&host_line) : row->host_key));
	return object;
}

/* By our clock. */
static int64_t
end_of(const struct row *row)
{
	int64_t ahead = row->clock > 1 || row->clock < -1 ? row->clock : 0;

	if (row->expires == 0)
		return NOW + TTL + row->before - ahead;
	return row->expires - ahead > TTL ? NOW + TTL
					  : NOW + row->expires - ahead;
}

static void
check_honest(const struct row *row, const struct answer *answer)
{
	cleanup_buf struct buf host = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf line = BUF_INIT(KEY_BLOB_MAX);

	key_put_ed25519(host_key.public, &host);
	buf_put_text(&line, "run-1.sandbox ");
	key_put_line(buf_view(&host), NULL, &line);
	buf_put_text(&line, "\n");
	assert_string_equal(buf_text(&answer->known_hosts), buf_text(&line));
	assert_string_equal(answer->session.id, "run-1");
	assert_string_equal(answer->session.incarnation,
	    row->incarnation == NULL ? "00ff" : row->incarnation);
	assert_string_equal(
	    answer->session.user, row->user == NULL ? "sandbox" : row->user);
	assert_int_equal(answer->session.running, row->state == NULL);
	assert_int_equal(answer->session.not_after, end_of(row));
	assert_int_equal(answer->session.single_use, row->single_use);
	assert_int_equal(answer->session.endpoint_count,
	    row->endpoint == NULL || *row->endpoint != '\0');
	assert_int_equal(answer->certificate.len == 0, row->expires != 0);
	if (answer->certificate.len > 0)
		assert_int_equal(
		    answer->certificate.p[answer->certificate.len - 1], '\n');
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	cleanup_answer struct answer answer;
	struct json_object *object = answer_of(row);
	struct sbx_why why = { "" };
	struct alias alias;
	struct ca_set trusted = { .count = 0 };
	struct question question = {
		.alias = &alias,
		.now = NOW,
		.clock = row->silent ? 0 : (uint64_t)(NOW + row->clock),
		.ttl = row->no_ttl ? 0 : TTL,
		.broker = row->broker,
	};
	enum sbx_err err;

	assert_int_equal(
	    name_parse_alias("run-1.sandbox", "sandbox", &alias, NULL), SBX_OK);
	key_put_ed25519(user_key.public, &key);
	question.public_key = buf_view(&key);
	for (size_t i = 0; i < 2 && row->trusted[i] != NULL; i++) {
		memcpy(trusted.key[trusted.count++], row->trusted[i]->public,
		    KEY_ED25519_LEN);
		question.trusted = &trusted;
	}
	err = answer_judge(object, &question, &answer, &why);
	(void)json_object_put(object);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	if (row->why != NULL && strstr(why.text, row->why) == NULL)
		fail_msg("'%s' does not say '%s'", why.text, row->why);
	if (err == SBX_OK)
		check_honest(row, &answer);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	if (sodium_init() < 0)
		return 1;
	keypair_generate(&user_key);
	keypair_generate(&other_key);
	keypair_generate(&ca_key);
	keypair_generate(&host_key);
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
