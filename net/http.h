/* SPDX-License-Identifier: ISC */
/*
 * One HTTP request, capped and timed, on libcurl; over TCP, TLS or a UNIX
 * socket.  No redirect is followed, no other protocol is spoken.
 */
#ifndef SBX_NET_HTTP_H
#define SBX_NET_HTTP_H

#include "common/buf.h"

#define HTTP_BODY_MAX (1024 * 1024)

struct http_request {
	const char *method;	 /* "POST" */
	const char *url;	 /* http://localhost/v1/... with unix_socket */
	const char *unix_socket; /* path, or NULL */
	const char *ca_file;	 /* or NULL */
	const char *bearer;	 /* token, or NULL */
	const char *who;	 /* in messages; NULL: "broker" */
	const char *const *headers; /* more of them, ends with NULL; or NULL */
	const char *body;	    /* JSON, or NULL */
	unsigned timeout;	    /* seconds for all of it */
	/*
	 * Seconds to wait before that for somebody to listen at unix_socket;
	 * one who hung up without a word is asked again if that does no harm.
	 */
	unsigned patience;
	bool harmless;	    /* to be sent twice */
	const char *absent; /* what to do if nobody does; NULL: the usual */
	/* Called a few times a second while waiting; may be NULL. */
	void (*progress)(void *context);
	void *progress_context;
};

struct http_head {
	long status;
	uint64_t date; /* the server's clock, Unix time; 0: it did not say */
	/* Seconds, of Retry-After or one with a suffix; 0: it did not say. */
	uint64_t retry_after;
};

/*
 * SBX_OK means that an answer came, whatever its status.  SBX_TIMEOUT,
 * SBX_UNAVAILABLE (cannot connect), SBX_REFUSED (TLS says no), SBX_TOO_LARGE
 * and SBX_PROTOCOL are told in why, which names the URL's host or the socket,
 * never the token.
 */
enum sbx_err
http_perform(const struct http_request *request, struct http_head *ret_head,
    struct buf *ret_body, struct sbx_why *why) MUST_USE;

/*
 * An answer that goes on.  http_open returns with its first line, without the
 * line's end, in ret_body, and *ret, as soon as that is there; timeout is for
 * that.  If the answer is another than 2xx, or has ended, *ret is NULL and
 * ret_body what there was of it.  Errors are those of http_perform.
 */
struct http_stream;
enum sbx_err http_open(const struct http_request *request,
    struct http_head *ret_head, struct buf *ret_body, struct http_stream **ret,
    struct sbx_why *why) MUST_USE;
/*
 * Wait, at most so many milliseconds (-1: any), for fd (-1: none) to become
 * readable; what comes meanwhile is thrown away.  False: the answer has ended.
 */
bool http_wait(struct http_stream *stream, int fd, int ms) MUST_USE;
void http_close(struct http_stream *stream); /* NULL allowed */

#endif
