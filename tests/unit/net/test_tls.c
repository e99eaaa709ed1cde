/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "net/tls.h"

#define MUCH (8U << 20) /* more than the buffers below take */

/* A server of OpenSSL's on a connection of the loopback. */
static struct {
	SSL_CTX *context;
	SSL *ssl;
	struct tls *tls; /* ours, on the other end */
	int fd, our_fd;
	char ca_file[64];
} world;

static void
make_certificate(EVP_PKEY **ret_key, X509 **ret)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:box.test");

	assert_true(key != NULL && names != NULL);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"box", -1, -1, 0),
	    1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
	assert_int_equal(X509_set_issuer_name(x, name), 1);
	assert_int_equal(X509_add_ext(x, names, -1), 1);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(names);
	*ret_key = key;
	*ret = x;
}

static int
set_up(void **state)
{
	EVP_PKEY *key;
	X509 *x;
	FILE *f;
	int fd;

	(void)state;
	make_certificate(&key, &x);
	world.context = SSL_CTX_new(TLS_server_method());
	assert_non_null(world.context);
	/* So that all that comes is what a test has sent. */
	assert_int_equal(SSL_CTX_set_num_tickets(world.context, 0), 1);
	assert_int_equal(SSL_CTX_use_certificate(world.context, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(world.context, key), 1);
	(void)snprintf(
	    world.ca_file, sizeof(world.ca_file), "/tmp/test_tls.XXXXXX");
	fd = mkstemp(world.ca_file);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, x), 1);
	assert_int_equal(fclose(f), 0);
	X509_free(x);
	EVP_PKEY_free(key);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	SSL_CTX_free(world.context);
	return unlink(world.ca_file);
}

static void *
accept_tls(void *context)
{
	(void)context;
	return SSL_accept(world.ssl) == 1 ? world.ssl : NULL;
}

static void
begin(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct tls_request request = { "box.test", "1", world.ca_file, NULL,
		10000 };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct sbx_why why = { "" };
	pthread_t thread;
	void *accepted;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	world.our_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(world.our_fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(
	    setsockopt(world.our_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)),
	    0);
	world.fd = accept(listener, NULL, NULL);
	assert_true(world.fd >= 0);
	(void)close(listener);
	world.ssl = SSL_new(world.context);
	assert_non_null(world.ssl);
	assert_int_equal(SSL_set_fd(world.ssl, world.fd), 1);
	assert_int_equal(pthread_create(&thread, NULL, accept_tls, NULL), 0);
	assert_int_equal(
	    tls_open(&request, world.our_fd, &world.tls, &why), SBX_OK);
	assert_int_equal(pthread_join(thread, &accepted), 0);
	assert_non_null(accepted);
}

static void
end(void)
{
	tls_free(world.tls);
	SSL_free(world.ssl);
	(void)close(world.our_fd);
	(void)close(world.fd);
}

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 2654435761U >> 13);
}

static uint8_t *
make_bytes(size_t len)
{
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(i);
	return bytes;
}

/* At least that much of what the server sent lies before us. */
static void
wait_for_bytes(int fd, int least)
{
	int here = 0;

	while (here < least) {
		struct pollfd pfd = { fd, POLLIN, 0 };

		assert_true(poll(&pfd, 1, 10000) > 0);
		assert_int_equal(ioctl(fd, FIONREAD, &here), 0);
	}
}

static void
test_records_are_read_together(void **state)
{
	uint8_t *sent = make_bytes(65536), got[65536 + 1];

	(void)state;
	begin();
	assert_int_equal(SSL_write(world.ssl, sent, 65536), 65536);
	wait_for_bytes(world.our_fd, 65536 + 4 * 22);
	assert_int_equal(tls_read(world.tls, got, sizeof(got)), 65536);
	assert_memory_equal(got, sent, 65536);
	assert_int_equal(tls_read(world.tls, got, sizeof(got)), -1);
	assert_int_equal(errno, EAGAIN);
	free(sent);
	end();
}

/* What came before something that is no TLS, or before the end, counts. */
static void
test_bytes_before_the_end(void **state)
{
	uint8_t got[100];

	(void)state;
	begin();
	assert_int_equal(SSL_write(world.ssl, "last", 4), 4);
	assert_int_equal(SSL_shutdown(world.ssl), 0);
	wait_for_bytes(world.our_fd, 4 + 22 + 24);
	assert_int_equal(tls_read(world.tls, got, sizeof(got)), 4);
	assert_int_equal(tls_read(world.tls, got, sizeof(got)), 0);
	end();
	begin();
	assert_int_equal(SSL_write(world.ssl, "last", 4), 4);
	assert_int_equal(write(world.fd, "SSH-2.0-no TLS at all", 21), 21);
	wait_for_bytes(world.our_fd, 4 + 22 + 21);
	assert_int_equal(tls_read(world.tls, got, sizeof(got)), 4);
	assert_int_equal(tls_read(world.tls, got, sizeof(got)), -1);
	assert_int_not_equal(errno, EAGAIN);
	end();
}

static unsigned
segments_out(void)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(
	    getsockopt(world.our_fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_data_segs_out;
}

/* The loopback takes 64 KiB at once: four records in two pieces at most. */
static void
test_records_leave_together(void **state)
{
	uint8_t *bytes = make_bytes(65536);
	unsigned before;

	(void)state;
	begin();
	before = segments_out();
	assert_int_equal(tls_write(world.tls, bytes, 65536), 65536);
	/* All of it, at once: nothing is held back for 200 ms. */
	assert_true(segments_out() - before <= 2);
	wait_for_bytes(world.fd, 65536 + 4 * 22);
	before = segments_out();
	assert_int_equal(tls_write(world.tls, bytes, 1), 1);
	assert_int_equal(segments_out() - before, 1);
	free(bytes);
	end();
}

/* What the server hears, in short pieces, once we cannot say more. */
static size_t
hear(uint8_t *got, size_t at, size_t most)
{
	int n = SSL_read(world.ssl, got + at, (int)most);

	return n > 0 ? (size_t)n : 0;
}

/*
 * The server reads nothing until the sender is held up in the middle of a
 * write; that goes on from a copy elsewhere, as the carrier's buffer may
 * have moved.  Then both directions end, one after the other.
 */
static void
test_held_up_and_half_closed(void **state)
{
	uint8_t *bytes = make_bytes(MUCH), *got = calloc(1, MUCH);
	size_t sent = 0, heard = 0, refused = 0;

	(void)state;
	assert_non_null(got);
	begin();
	while (sent < MUCH) {
		size_t len = MUCH - sent < 100000 ? MUCH - sent : 100000;
		uint8_t *copy = malloc(len);
		ssize_t n;

		assert_non_null(copy);
		memcpy(copy, bytes + sent, len);
		n = tls_write(world.tls, copy, len);
		free(copy);
		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		refused++;
		heard += hear(got, heard, 5000);
	}
	assert_true(refused > 10);
	while (tls_finish(world.tls) < 0) {
		assert_int_equal(errno, EAGAIN);
		heard += hear(got, heard, 5000);
	}
	while (heard < MUCH) {
		size_t n = hear(got, heard, 5000);

		assert_true(n > 0);
		heard += n;
	}
	assert_memory_equal(got, bytes, MUCH);
	assert_int_equal(SSL_read(world.ssl, got, 1), 0);
	assert_int_equal(SSL_get_shutdown(world.ssl), SSL_RECEIVED_SHUTDOWN);
	/* The other direction lives. */
	assert_int_equal(SSL_write(world.ssl, "still here", 10), 10);
	wait_for_bytes(world.our_fd, 10);
	assert_int_equal(tls_read(world.tls, got, 100), 10);
	assert_memory_equal(got, "still here", 10);
	free(bytes);
	free(got);
	end();
}

int
main(void)
{
	CASE(test_records_are_read_together);
	CASE(test_bytes_before_the_end);
	CASE(test_records_leave_together);
	CASE(test_held_up_and_half_closed);
	return _cmocka_run_group_tests(
	    "tls", cases, case_count, set_up, tear_down);
}
