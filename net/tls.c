/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/cleanup.h"

#define READ_BUFFER (64 * 1024) /* several records a call */

struct tls {
	int fd;
	SSL_CTX *context;
	SSL *ssl;
};

static bool
is_address(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	    inet_pton(AF_INET6, host, bytes) == 1;
}

static bool
set_trust(struct tls *tls, const struct tls_request *request)
{
	return request->ca_file == NULL
	    ? SSL_CTX_set_default_verify_paths(tls->context) == 1
	    : SSL_CTX_load_verify_locations(
		  tls->context, request->ca_file, NULL) == 1;
}

static bool
set_name(struct tls *tls, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(
			   SSL_get0_param(tls->ssl), host) == 1;
	return SSL_set_tlsext_host_name(tls->ssl, host) == 1 &&
	    SSL_set1_host(tls->ssl, host) == 1;
}

static bool
set_protocol(struct tls *tls, const char *alpn)
{
	unsigned char list[256];
	size_t len;

	if (alpn == NULL)
		return true;
	len = strlen(alpn);
	if (len > 255)
		return false;
	list[0] = (unsigned char)len;
	memcpy(list + 1, alpn, len);
	return SSL_set_alpn_protos(tls->ssl, list, (unsigned)len + 1) == 0;
}

static enum sbx_err
prepare(struct tls *tls, const struct tls_request *request, int fd,
    struct sbx_why *why)
{
	tls->context = SSL_CTX_new(TLS_client_method());
	if (tls->context == NULL ||
	    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
		return SBX_NOMEM;
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	/* Whole records at a time, and nothing asked of a retried write. */
	SSL_CTX_set_read_ahead(tls->context, 1);
	SSL_CTX_set_default_read_buffer_len(tls->context, READ_BUFFER);
	(void)SSL_CTX_set_mode(tls->context,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* An end without close_notify is one: ssh has its own checks. */
	(void)SSL_CTX_set_options(tls->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (!set_trust(tls, request))
		return sbx_fail(why, SBX_CONFIG,
		    "CA certificates cannot be read: %s",
		    request->ca_file == NULL ? "the system's"
					     : request->ca_file);
	tls->ssl = SSL_new(tls->context);
	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 ||
	    !set_name(tls, request->host) || !set_protocol(tls, request->alpn))
		return SBX_NOMEM;
	return SBX_OK;
}

/* Why the handshake failed, in OpenSSL's words. */
static enum sbx_err
judge(const struct tls *tls, const struct tls_request *request, int error,
    struct sbx_why *why)
{
	long verified = SSL_get_verify_result(tls->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (verified != X509_V_OK)
		return sbx_fail(why, SBX_REFUSED,
		    "%s port %s has a TLS certificate that is not to be "
		    "trusted: %s",
		    request->host, request->port,
		    X509_verify_cert_error_string(verified));
	if (reason == NULL)
		reason =
		    error == 0 ? "it closed the connection" : strerror(error);
	return sbx_fail(why, SBX_UNAVAILABLE, "no TLS with %s port %s: %s",
	    request->host, request->port, reason);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum sbx_err
shake_hands(struct tls *tls, const struct tls_request *request, int fd,
    struct sbx_why *why)
{
	int64_t end = now_ms() + request->timeout;

	for (;;) {
		struct pollfd pfd = { .fd = fd };
		int64_t left = end - now_ms();
		int result, cause, error;

		ERR_clear_error();
		errno = 0;
		result = SSL_connect(tls->ssl);
		error = errno;
		if (result == 1)
			return SBX_OK;
		cause = SSL_get_error(tls->ssl, result);
		if (cause != SSL_ERROR_WANT_READ &&
		    cause != SSL_ERROR_WANT_WRITE)
			return judge(tls, request, error, why);
		pfd.events = cause == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return sbx_fail(why, SBX_TIMEOUT,
			    "no TLS with %s port %s in time", request->host,
			    request->port);
	}
}

enum sbx_err
tls_open(const struct tls_request *request, int fd, struct tls **ret,
    struct sbx_why *why)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int flags = fcntl(fd, F_GETFL);
	enum sbx_err err;

	if (tls == NULL)
		return SBX_NOMEM;
	err = flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0
	    ? SBX_IO
	    : prepare(tls, request, fd, why);
	if (err == SBX_OK)
		err = shake_hands(tls, request, fd, why);
	tls->fd = fd;
	if (err == SBX_OK)
		*ret = tls;
	else
		tls_free(tls);
	return err;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	free(tls);
}

/* What SSL_read() and its like returned, in the terms of read(2). */
static ssize_t
translate(struct tls *tls, int result, int error)
{
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_NONE:
		return result;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_SYSCALL:
		errno = error == 0 ? ECONNRESET : error;
		return -1;
	default:
		errno = EPROTO;
		return -1;
	}
}

static int
clamp(size_t n)
{
	return n > INT32_MAX ? INT32_MAX : (int)n;
}

static ssize_t
read_record(struct tls *tls, uint8_t *bytes, size_t size)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read(tls->ssl, bytes, clamp(size));
	return translate(tls, result, errno);
}

/* As many records as are here: one send(2) passes them all on. */
ssize_t
tls_read(struct tls *tls, void *bytes, size_t size)
{
	size_t got = 0;
	ssize_t n;

	do {
		n = read_record(tls, (uint8_t *)bytes + got, size - got);
		got += n > 0 ? (size_t)n : 0;
	} while (n > 0 && got < size && SSL_has_pending(tls->ssl));
	/* What is wrong behind them will be so the next time too. */
	return got > 0 ? (ssize_t)got : n;
}

static ssize_t
write_record(struct tls *tls, const uint8_t *bytes, size_t len)
{
	int result;
	ssize_t n;

	ERR_clear_error();
	errno = 0;
	result = SSL_write(tls->ssl, bytes, clamp(len));
	n = translate(tls, result, errno);
	if (n == 0) {
		errno = EPIPE;
		return -1;
	}
	return n;
}

static void
cork(const struct tls *tls, bool on)
{
	int value = on;

	/* Without it the records leave one by one, and arrive as well. */
	(void)setsockopt(tls->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

/* One write(2) a record, but what leaves for the network is one piece. */
ssize_t
tls_write(struct tls *tls, const void *bytes, size_t len)
{
	bool several = len > SSL3_RT_MAX_PLAIN_LENGTH;
	size_t put = 0;
	int error = 0;
	ssize_t n;

	if (several)
		cork(tls, true);
	do {
		n = write_record(tls, (const uint8_t *)bytes + put, len - put);
		error = errno;
		put += n > 0 ? (size_t)n : 0;
	} while (n > 0 && put < len);
	if (several)
		cork(tls, false);
	errno = error;
	return put > 0 ? (ssize_t)put : n;
}

int
tls_finish(struct tls *tls)
{
	int result;

	ERR_clear_error();
	errno = 0;
	/* 0: sent, the peer's is not here yet */
	result = SSL_shutdown(tls->ssl);
	return result >= 0 ? 0 : (int)translate(tls, result, errno);
}
