/* SPDX-License-Identifier: ISC */
/*
 * A connection to a tls://, wss:// or ws:// endpoint.  libcurl makes it, so
 * HTTPS_PROXY and NO_PROXY count and addresses are raced; TLS and WebSocket
 * stand on top.  After link_open nothing blocks.
 */
#ifndef SBX_NET_LINK_H
#define SBX_NET_LINK_H

#include <sys/types.h>

#include "common/err.h"

struct link_request {
	const char *host; /* no brackets */
	const char *port;
	bool tls;
	const char *alpn;    /* see net/tls.h */
	const char *ca_file; /* likewise */
	bool web;	     /* a WebSocket */
	const char *path;    /* of it */
	const char *bearer;  /* token, or NULL */
	int timeout;	     /* milliseconds for each stage */
};

struct link;

enum sbx_err link_open(const struct link_request *request, struct link **ret,
    struct sbx_why *why) MUST_USE;
void link_free(struct link *link);    /* NULL allowed */
int link_fd(const struct link *link); /* to poll; do not touch otherwise */

/*
 * As read(2) and write(2): EAGAIN; 0 is the end of the peer's direction.
 * EINTR: there was much to read and none of it for the caller, who is to come
 * back without waiting, after a look at what else there is to do.
 */
ssize_t link_read(struct link *link, void *bytes, size_t size) MUST_USE;
ssize_t link_write(struct link *link, const void *bytes, size_t len) MUST_USE;
/* 0 when all that was written is on its way; -1: errno. */
int link_flush(struct link *link) MUST_USE;
/* End our direction; once, then link_flush until it is 0. */
void link_finish(struct link *link);
/* Whether the peer is still there; false if this link knows no such thing. */
bool link_ping(struct link *link);

#endif
