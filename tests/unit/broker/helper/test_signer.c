/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/helper/signer.h"
#include "certs/check.h"
#include "common/cleanup.h"

#define NOW 2000000000
#define SERIAL 0x0123456789abcdef
#define KEY_ID "alice/run-1/0123456789abcdef"

static struct signer signer;
static struct signer_line line;
static pid_t pid;

static uint64_t
now(void)
{
	return NOW;
}

/* A signer in a process of its own, as in sandboxd. */
static int
start(void **state)
{
	int caller_fd, helper_fd;

	(void)state;
	if (sodium_init() < 0 ||
	    helper_pair(&caller_fd, &helper_fd, NULL) != SBX_OK)
		return -1;
	keypair_generate(&signer.ca);
	signer.now = now;
	pid = fork();
	if (pid == 0) {
		(void)close(caller_fd);
		_exit(helper_serve(helper_fd, HELPER_IN_TURN, signer_job,
			  &signer) != SBX_OK);
	}
	(void)close(helper_fd);
	signer_line_init(&line, caller_fd);
	return pid < 0 ? -1 : 0;
}

static int
end(void **state)
{
	int status;

	(void)state;
	(void)close(line.fd);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

struct row {
	const char *name;
	struct cert_request request; /* without its key */
	enum sbx_err want;
};

#define ROW(row_name, row_want, ...)                                 \
	{                                                            \
		.name = (row_name), .want = (row_want), .request = { \
			.principal = "run-1",                        \
			.key_id = KEY_ID,                            \
			.serial = SERIAL,                            \
			.valid_after = NOW - 60,                     \
			.valid_before = NOW + 3600,                  \
			__VA_ARGS__                                  \
		}                                                    \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct row rows[] = {
	ROW("good", SBX_OK, .permit = PERMIT_PTY),
	ROW("a day, counted from valid_after", SBX_OK,
	    .valid_before = NOW - 60 + CHECK_TTL_MAX),
	ROW("more than a day", SBX_REFUSED,
	    .valid_before = NOW - 60 + CHECK_TTL_MAX + 1),
	ROW("a short one far in the future", SBX_REFUSED,
	    .valid_after = NOW + CHECK_TTL_MAX,
	    .valid_before = NOW + CHECK_TTL_MAX + 60),
	ROW("for ever", SBX_REFUSED, .valid_before = UINT64_MAX),
	ROW("ends before it starts", SBX_REFUSED, .valid_before = NOW - 61),
	ROW("two principals", SBX_REFUSED, .principal = "run-1,run-2"),
	ROW("no principal", SBX_REFUSED, .principal = ""),
	ROW("another one's key id", SBX_REFUSED, .principal = "run-2"),
	ROW("another serial in the key id", SBX_REFUSED, .serial = 5),
	ROW("no caller in the key id", SBX_REFUSED,
	    .key_id = "/run-1/0123456789abcdef"),
	ROW("a caller with a slash", SBX_REFUSED,
	    .key_id = "a/b/run-1/0123456789abcdef"),
	ROW("serial zero", SBX_REFUSED, .serial = 0,
	    .key_id = "alice/run-1/0000000000000000"),
};
#pragma GCC diagnostic pop

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static enum sbx_err
sign(struct cert_request request, struct buf *ret)
{
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct keypair user;

	keypair_generate(&user);
	key_put_ed25519(user.public, &key);
	request.public_key = buf_view(&key);
	return signer_sign(&line, &request, ret, NULL);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);

	assert_int_equal(sign(row->request, &blob), row->want);
	if (row->want != SBX_OK)
		assert_int_equal(blob.len, 0);
}

static void
test_gate_takes_it(void **state)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct ca_set trusted = { .count = 1 };
	struct cert_policy policy = { .sandbox_id = "run-1",
		.trusted = &trusted,
		.now = NOW,
		.max_ttl = CHECK_TTL_MAX,
		.permit = PERMIT_PTY };
	struct cert_grant grant;
	struct cert cert;

	(void)state;
	memcpy(trusted.key[0], signer.ca.public, KEY_ED25519_LEN);
	assert_int_equal(sign(rows[0].request, &blob), SBX_OK);
	assert_int_equal(cert_parse(buf_view(&blob), &cert), SBX_OK);
	assert_int_equal(cert_check(&cert, &policy, &grant), SBX_OK);
	assert_int_equal(grant.permit, PERMIT_PTY);
	assert_int_equal(cert.serial, SERIAL);
	assert_true(view_eq_str(cert.key_id, KEY_ID));
}

static void
test_key_that_is_none(void **state)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct cert_request request = rows[0].request;

	(void)state;
	request.public_key = VIEW("\0\0\0\3dss", 7);
	assert_int_not_equal(signer_sign(&line, &request, &blob, NULL), SBX_OK);
}

/* The wire format itself: cut short at every byte, and one too many. */
static void
test_malformed(void **state)
{
	cleanup_buf struct buf whole = BUF_INIT(HELPER_MESSAGE_MAX);

	(void)state;
	buf_put_cstring(&whole, "key");
	buf_put_cstring(&whole, "run-1");
	buf_put_cstring(&whole, KEY_ID);
	buf_put(&whole, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	for (size_t len = 1; len <= whole.len; len++) {
		cleanup_buf struct buf request = BUF_INIT(HELPER_MESSAGE_MAX);
		cleanup_buf struct buf answer = BUF_INIT(CERT_BLOB_MAX);
		struct wire w;

		/* As one of one, and as it is. */
		buf_put_u32(&request, 1);
		buf_put_string(&request, VIEW(whole.p, len));
		assert_int_equal(helper_call(line.fd, buf_view(&request), 60,
				     &answer, NULL, NULL),
		    SBX_OK);
		w = wire_of(buf_view(&answer));
		assert_int_equal(wire_u32(&w), SBX_PROTOCOL);
		buf_reset(&answer);
		assert_int_equal(helper_call(line.fd, VIEW(whole.p, len), 60,
				     &answer, NULL, NULL),
		    SBX_PROTOCOL);
	}
}

/* Neither none nor more than may be wanted at once, nor fewer than told. */
static void
test_wrong_number(void **state)
{
	static const uint32_t counts[] = { 0, 2, SIGNER_AT_ONCE + 1,
		UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		cleanup_buf struct buf request = BUF_INIT(HELPER_MESSAGE_MAX);
		cleanup_buf struct buf answer = BUF_INIT(CERT_BLOB_MAX);

		buf_put_u32(&request, counts[i]);
		buf_put_cstring(&request, "one");
		assert_int_equal(helper_call(line.fd, buf_view(&request), 60,
				     &answer, NULL, NULL),
		    SBX_PROTOCOL);
	}
}

static void *
sign_often(void *argument)
{
	const struct row *row = argument;

	for (int i = 0; i < 50; i++) {
		cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
		struct cert cert;

		if (sign(row->request, &blob) != row->want)
			return argument;
		if (row->want == SBX_OK &&
		    (cert_parse(buf_view(&blob), &cert) != SBX_OK ||
			cert.valid_before != row->request.valid_before ||
			cert_verify(&cert, signer.ca.public) != SBX_OK))
			return argument;
	}
	return NULL;
}

/* Each gets its own answer, whoever asks at the same time. */
static void
test_many_at_once(void **state)
{
	pthread_t threads[4 * ROWS];
	void *failed = NULL;

	(void)state;
	for (size_t i = 0; i < 4 * ROWS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_often,
				     (void *)(uintptr_t)&rows[i % ROWS]),
		    0);
	for (size_t i = 0; i < 4 * ROWS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

#define LARGE 60

static struct cert_request large;

static void *
sign_large(void *argument)
{
	for (int i = 0; i < 5; i++) {
		cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);

		if (signer_sign(&line, &large, &blob, NULL) != SBX_OK)
			return argument;
	}
	return NULL;
}

/* The largest keys, more than fit into one request. */
static void
test_large_ones(void **state)
{
	static uint8_t modulus[2048];
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	pthread_t threads[LARGE];
	void *failed = NULL;

	(void)state;
	memset(modulus, 0x5b, sizeof(modulus));
	buf_put_cstring(&key, "ssh-rsa");
	buf_put_string(&key, VIEW("\1\0\1", 3));
	buf_put_string(&key, VIEW(modulus, sizeof(modulus)));
	large = rows[0].request;
	large.public_key = buf_view(&key);
	for (size_t i = 0; i < LARGE; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, sign_large, &line), 0);
	for (size_t i = 0; i < LARGE; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 6];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_gate_takes_it);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_key_that_is_none);
	tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test(test_malformed);
	tests[ROWS + 3] =
	    (struct CMUnitTest)cmocka_unit_test(test_wrong_number);
	tests[ROWS + 4] =
	    (struct CMUnitTest)cmocka_unit_test(test_many_at_once);
	tests[ROWS + 5] = (struct CMUnitTest)cmocka_unit_test(test_large_ones);
	return cmocka_run_group_tests(tests, start, end);
}
