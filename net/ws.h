/* SPDX-License-Identifier: ISC */
/*
 * The client's side of a WebSocket (RFC 6455) as a stream of bytes: what is
 * written goes out as binary messages, what comes in is handed on without
 * regard to where messages begin and end.  Nothing blocks.
 *
 * A Close frame means in each direction what shutdown(SHUT_WR) means on a
 * socket: the side that has sent one still listens until the other one has
 * sent its own.
 */
#ifndef SBX_NET_WS_H
#define SBX_NET_WS_H

#include <sys/types.h>

#include "common/buf.h"

#define WS_MESSAGE_MAX (1024 * 1024) /* of one that comes in */
#define WS_RESPONSE_MAX 8192
#define WS_KEY_LEN 25 /* with its NUL */

/* The connection below: as read(2) and write(2) that may say EAGAIN. */
struct ws_io {
	ssize_t (*read)(void *context, void *bytes, size_t size);
	ssize_t (*write)(void *context, const void *bytes, size_t len);
	void *context;
};

struct ws;

/* The key of one request: 16 random bytes as text. */
void ws_make_key(const uint8_t random[static 16], char ret[static WS_KEY_LEN]);
/* GET with "Upgrade: websocket"; bearer may be NULL. */
void ws_put_request(const char *authority, const char *path, const char *bearer,
    const char *key, struct buf *ret);
/* response: all up to the empty line.  host stands in messages. */
enum sbx_err ws_judge_response(const char *response, const char *key,
    const char *host, struct sbx_why *why) MUST_USE;

/*
 * After the response; early is what was read behind it.  io's context must
 * outlive it.
 */
enum sbx_err
ws_new(const struct ws_io *io, struct view early, struct ws **ret) MUST_USE;
void ws_free(struct ws *ws); /* NULL allowed */

/*
 * 0: the peer has sent its Close.  -1: errno, EPROTO for what is no WebSocket
 * message of at most WS_MESSAGE_MAX; EINTR if what came so far was frames
 * without a payload, and there may be more.
 */
ssize_t ws_read(struct ws *ws, void *bytes, size_t size) MUST_USE;
/* What it took is not necessarily sent yet: ws_flush. */
ssize_t ws_write(struct ws *ws, const void *bytes, size_t len) MUST_USE;
/* 0 when nothing is left to be sent; -1: errno. */
int ws_flush(struct ws *ws) MUST_USE;
void ws_ping(struct ws *ws);
/* Send Close: nothing can be written any more. */
void ws_finish(struct ws *ws);

#endif
