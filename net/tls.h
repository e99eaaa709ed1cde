/* SPDX-License-Identifier: ISC */
/*
 * TLS on a connected socket, as a client.  The server's certificate and its
 * name are verified; nothing older than TLS 1.2.
 */
#ifndef SBX_NET_TLS_H
#define SBX_NET_TLS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct tls;

struct tls_request {
	const char *host;    /* for SNI and the certificate; or an address */
	const char *port;    /* for messages */
	const char *ca_file; /* NULL: the system's */
	const char *alpn;    /* one protocol, or NULL */
	int timeout;	     /* milliseconds */
};

/* Handshake over fd, which stays the caller's and becomes non-blocking. */
enum sbx_err tls_open(const struct tls_request *request, int fd,
    struct tls **ret, struct sbx_why *why) MUST_USE;
void tls_free(struct tls *tls); /* NULL allowed */

/* As read(2) and write(2) without blocking: EAGAIN; 0 is the peer's end. */
ssize_t tls_read(struct tls *tls, void *bytes, size_t size) MUST_USE;
ssize_t tls_write(struct tls *tls, const void *bytes, size_t len) MUST_USE;
/* close_notify: the end of our direction.  -1 with EAGAIN: once more. */
int tls_finish(struct tls *tls) MUST_USE;

#endif
