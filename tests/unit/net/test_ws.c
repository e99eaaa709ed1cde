/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "net/ws.h"

/* What the server has said, and what it hears, at a few bytes a time. */
static struct {
	struct buf said, heard;
	size_t at, bite;
	bool ended, deaf;
	const char *endless; /* a frame that is said again and again */
} wire;

static ssize_t
from_wire(void *context, void *bytes, size_t size)
{
	size_t n = wire.said.len - wire.at;

	(void)context;
	if (wire.endless != NULL) {
		for (size_t i = 0; i < size; i++)
			((char *)bytes)[i] = wire.endless[i % 2];
		return (ssize_t)(size / 2 * 2);
	}
	if (n == 0 && wire.ended)
		return 0;
	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = n < size ? n : size;
	n = n < wire.bite ? n : wire.bite;
	memcpy(bytes, wire.said.p + wire.at, n);
	wire.at += n;
	return (ssize_t)n;
}

static ssize_t
to_wire(void *context, const void *bytes, size_t len)
{
	(void)context;
	if (wire.deaf) {
		errno = EAGAIN;
		return -1;
	}
	len = len < wire.bite ? len : wire.bite;
	buf_put(&wire.heard, bytes, len);
	return (ssize_t)len;
}

static struct ws *
begin(size_t bite, const char *early)
{
	static const struct ws_io io = { from_wire, to_wire, NULL };
	struct ws *ws = NULL;

	wire.said = BUF_INIT(4U << 20);
	wire.heard = BUF_INIT(4U << 20);
	wire.at = 0;
	wire.bite = bite;
	wire.ended = false;
	wire.deaf = false;
	wire.endless = NULL;
	assert_int_equal(ws_new(&io, VIEW_STR(early), &ws), SBX_OK);
	return ws;
}

static void
end(struct ws *ws)
{
	ws_free(ws);
	buf_free(&wire.said);
	buf_free(&wire.heard);
}

/* A frame from the server. */
static void
say(uint8_t first, const void *payload, size_t len)
{
	buf_put_u8(&wire.said, first);
	if (len < 126)
		buf_put_u8(&wire.said, (uint8_t)len);
	else if (len < 65536) {
		buf_put_u8(&wire.said, 126);
		buf_put_u8(&wire.said, (uint8_t)(len >> 8));
		buf_put_u8(&wire.said, (uint8_t)len);
	} else {
		buf_put_u8(&wire.said, 127);
		buf_put_u64(&wire.said, len);
	}
	buf_put(&wire.said, payload, len);
}

/*
 * The next frame that the server hears, unmasked into ret: its first byte;
 * 0 at the end.
 */
static uint8_t
hear(size_t *at, struct buf *ret)
{
	const uint8_t *p = wire.heard.p + *at;
	size_t len, head = 2;
	uint8_t *to;

	buf_reset(ret);
	if (*at == wire.heard.len)
		return 0;
	assert_true(wire.heard.len - *at >= 6);
	assert_int_equal(p[1] & 0x80, 0x80); /* masked */
	len = p[1] & 0x7f;
	if (len >= 126) {
		size_t least = len == 126 ? 126 : 65536;

		head += len == 126 ? 2 : 8;
		len = 0;
		for (size_t i = 2; i < head; i++)
			len = len << 8 | p[i];
		assert_true(len >= least); /* in the shortest form */
	}
	assert_true(wire.heard.len - *at >= head + 4 + len);
	to = buf_grow(ret, len);
	for (size_t i = 0; i < len; i++)
		to[i] = p[head + 4 + i] ^ p[head + i % 4];
	*at += head + 4 + len;
	return p[0];
}

/* Everything that can be read now, into ret; the last result. */
static ssize_t
read_all(struct ws *ws, size_t room, struct buf *ret)
{
	uint8_t bytes[4096];
	ssize_t n;

	while ((n = ws_read(ws, bytes, room)) > 0 || (n < 0 && errno == EINTR))
		buf_put(ret, bytes, n > 0 ? (size_t)n : 0);
	return n;
}

static const struct size_row {
	const char *name;
	size_t bite, room;
} sizes[] = {
	{ "a byte at a time", 1, 1 },
	{ "bytes from the wire", 1, 4096 },
	{ "bytes to the reader", 4096, 3 },
	{ "much at a time", 65536, 4096 },
};

static void
test_reading(void **state)
{
	const struct size_row *row = *state;
	struct ws *ws = begin(row->bite, "");
	cleanup_buf struct buf got = BUF_INIT(1 << 20);
	cleanup_buf struct buf frame = BUF_INIT(1 << 16);
	char big[70000];
	size_t at = 0;

	memset(big, 'x', sizeof(big));
	say(0x82, "one", 3);
	say(0x02, "t", 1); /* fragments, with a ping among them */
	say(0x89, "ping!", 5);
	say(0x00, "w", 1);
	say(0x80, "o", 1);
	say(0x81, "text is bytes too", 17);
	say(0x82, big, 200);
	say(0x82, big, sizeof(big));
	say(0x82, "", 0);
	assert_int_equal(read_all(ws, row->room, &got), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(got.len, 3 + 3 + 17 + 200 + sizeof(big));
	assert_memory_equal(got.p, "onetwotext is bytes tooxx", 25);
	while (ws_flush(ws) < 0)
		assert_int_equal(errno, EAGAIN);
	assert_int_equal(hear(&at, &frame), 0x8a); /* pong */
	assert_int_equal(frame.len, 5);
	assert_memory_equal(frame.p, "ping!", 5);
	assert_int_equal(hear(&at, &frame), 0);
	end(ws);
}

static void
test_writing(void **state)
{
	const struct size_row *row = *state;
	struct ws *ws = begin(row->bite, "");
	cleanup_buf struct buf frame = BUF_INIT(1 << 20);
	cleanup_buf struct buf got = BUF_INIT(1 << 20);
	static uint8_t bytes[200000];
	size_t at = 0, sent = 0;

	randombytes_buf(bytes, sizeof(bytes));
	while (sent < sizeof(bytes)) {
		ssize_t n = ws_write(ws, bytes + sent, sizeof(bytes) - sent);

		assert_true(n > 0);
		sent += (size_t)n;
	}
	while (ws_flush(ws) < 0)
		assert_int_equal(errno, EAGAIN);
	while (at < wire.heard.len) {
		assert_int_equal(hear(&at, &frame), 0x82);
		buf_put_view(&got, buf_view(&frame));
	}
	assert_int_equal(got.len, sizeof(bytes));
	assert_memory_equal(got.p, bytes, sizeof(bytes));
	end(ws);
}

static void
test_what_came_with_the_response(void **state)
{
	struct ws *ws = begin(4096,
	    "\x82\x05"
	    "SSH-2"
	    "\x82\x03");
	cleanup_buf struct buf got = BUF_INIT(100);

	(void)state;
	buf_put_text(&wire.said, ".0-");
	assert_int_equal(read_all(ws, 4096, &got), -1);
	assert_int_equal(errno, EAGAIN);
	assert_string_equal(buf_text(&got), "SSH-2.0-");
	end(ws);
}

/* Our Close ends our direction; the server's still goes on. */
static void
test_half_closed(void **state)
{
	struct ws *ws = begin(4096, "");
	cleanup_buf struct buf got = BUF_INIT(100);
	cleanup_buf struct buf frame = BUF_INIT(100);
	size_t at = 0;

	(void)state;
	ws_finish(ws);
	assert_int_equal(ws_flush(ws), 0);
	assert_int_equal(hear(&at, &frame), 0x88);
	assert_memory_equal(frame.p, "\x03\xe8", 2); /* 1000 */
	assert_int_equal(ws_write(ws, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	say(0x82, "still here", 10);
	say(0x88, "\x03\xe8", 2);
	assert_int_equal(read_all(ws, 4096, &got), 0);
	assert_string_equal(buf_text(&got), "still here");
	end(ws);
}

/* Nobody takes the pongs: the pings wait, and do not fill the memory. */
static void
test_flood_of_pings(void **state)
{
	struct ws *ws = begin(65536, "");
	cleanup_buf struct buf got = BUF_INIT(1000);

	(void)state;
	wire.deaf = true;
	for (int i = 0; i < 200000; i++)
		say(0x89, "", 0);
	say(0x82, "x", 1);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(read_all(ws, 4096, &got), -1);
		assert_int_equal(errno, EAGAIN);
		assert_int_equal(ws_flush(ws), -1);
		assert_int_equal(errno, EAGAIN);
	}
	assert_true(wire.said.len - wire.at > 100000);
	wire.deaf = false;
	while (got.len == 0) {
		assert_int_equal(read_all(ws, 4096, &got), -1);
		assert_int_equal(errno, EAGAIN);
		assert_int_equal(ws_flush(ws), 0);
	}
	assert_int_equal(wire.heard.len, 200000 * 6);
	end(ws);
}

static const struct endless_row {
	const char *name;
	const char *frame;
} endless[] = {
	{ "no payload", "\x82\x00" },
	{ "fragments without one", "\x00\x00" },
	{ "pings", "\x89\x00" },
	{ "pongs", "\x8a\x00" },
};

/* The reader is let go at times, and knows that there may be more. */
static void
test_endless(void **state)
{
	const struct endless_row *row = *state;
	struct ws *ws = begin(65536, "");
	char byte;

	(void)alarm(20);
	say(0x02, "x", 1);
	if (row->frame[0] == '\0')
		assert_int_equal(ws_read(ws, &byte, 1), 1);
	wire.endless = row->frame;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ws_read(ws, &byte, 1), -1);
		assert_int_equal(errno, EINTR);
		assert_int_equal(ws_flush(ws), 0);
		buf_reset(&wire.heard);
	}
	(void)alarm(0);
	end(ws);
}

static const struct bad_row {
	const char *name;
	const char *bytes;
	size_t len;
} bad[] = {
#define BAD(name, bytes)                       \
	{                                      \
		name, bytes, sizeof(bytes) - 1 \
	}
	BAD("SSH itself", "SSH-2.0-OpenSSH_9.2\r\n"),
	BAD("masked by a server", "\x82\x81\1\2\3\4x"),
	BAD("reserved bits", "\xf2\x01x"),
	BAD("unknown opcode", "\x83\x01x"),
	BAD("unknown control opcode", "\x8b\x01x"),
	BAD("continuation of nothing", "\x80\x01x"),
	BAD("new message inside one", "\x02\x01x\x82\x01x"),
	BAD("control frame in fragments", "\x09\x01x"),
	BAD("control frame too long", "\x89\x7e\x00\x7exxx"),
	BAD("length not the shortest, 16", "\x82\x7e\x00\x05xxxxx"),
	BAD("length not the shortest, 64", "\x82\x7f\0\0\0\0\0\0\0\x05xxxxx"),
	BAD("length with the top bit", "\x82\x7f\x80\0\0\0\0\0\0\x05xxxxx"),
	BAD("one byte above the cap", "\x82\x7f\0\0\0\0\0\x10\0\x01xxxxx"),
	BAD("Close with a reserved code", "\x88\x02\x03\xed"),
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;

	for (size_t bite = 1; bite < 5000; bite += 4998) {
		struct ws *ws = begin(bite, "");
		cleanup_buf struct buf got = BUF_INIT(1000);

		buf_put(&wire.said, row->bytes, row->len);
		wire.ended = true;
		assert_int_equal(read_all(ws, 4096, &got), -1);
		assert_int_equal(errno, EPROTO);
		end(ws);
	}
}

static void
test_largest_message(void **state)
{
	struct ws *ws = begin(65536, "");
	cleanup_buf struct buf got = BUF_INIT(2 * WS_MESSAGE_MAX);
	uint8_t *bytes = calloc(1, WS_MESSAGE_MAX);

	(void)state;
	assert_non_null(bytes);
	say(0x82, bytes, WS_MESSAGE_MAX);
	say(0x82, bytes, WS_MESSAGE_MAX);
	assert_int_equal(read_all(ws, 4096, &got), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(got.len, 2 * WS_MESSAGE_MAX);
	free(bytes);
	end(ws);
}

static void
test_end_without_close(void **state)
{
	struct ws *ws = begin(4096, "");
	cleanup_buf struct buf got = BUF_INIT(100);

	(void)state;
	say(0x82, "x", 1);
	wire.ended = true;
	assert_int_equal(read_all(ws, 4096, &got), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(got.len, 1);
	end(ws);
}

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455, 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const struct response_row {
	const char *name;
	const char *text;
	enum sbx_err want;
	const char *says;
} responses[] = {
	{ "of the RFC",
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
	    SBX_OK, NULL },
	{ "other case, other blanks",
	    "HTTP/1.1 101 \r\nsec-websocket-accept:" ACCEPT
	    " \r\nUPGRADE:\tWebSocket\r\n\r\n",
	    SBX_OK, NULL },
	{ "for another key",
	    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
	    SBX_PROTOCOL, "in a wrong way" },
	{ "without an answer to the key",
	    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", SBX_PROTOCOL,
	    "in a wrong way" },
	{ "to something else",
	    "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: " ACCEPT
	    "\r\n\r\n",
	    SBX_PROTOCOL, "in a wrong way" },
	{ "with an extension nobody asked for",
	    "HTTP/1.1 101 x\r\nUpgrade: "
	    "websocket\r\nSec-WebSocket-Accept: " ACCEPT
	    "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	    SBX_PROTOCOL, "in a wrong way" },
	{ "not found", "HTTP/1.1 404 Not Found\r\n\r\n", SBX_UNAVAILABLE,
	    "HTTP/1.1 404 Not Found" },
	{ "no token", "HTTP/1.1 401 Unauthorized\r\n\r\n", SBX_REFUSED,
	    "is the token right" },
	{ "plain 200", "HTTP/1.1 200 OK\r\n\r\n", SBX_UNAVAILABLE, "200" },
	{ "no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", SBX_PROTOCOL,
	    "does not speak HTTP" },
};

static void
test_response(void **state)
{
	const struct response_row *row = *state;
	struct sbx_why why = { "" };

	assert_int_equal(
	    ws_judge_response(row->text, KEY, "box", &why), row->want);
	if (row->says != NULL)
		assert_non_null(strstr(why.text, row->says));
}

static void
test_request(void **state)
{
	cleanup_buf struct buf got = BUF_INIT(WS_RESPONSE_MAX);
	char key[WS_KEY_LEN];

	(void)state;
	ws_make_key((const uint8_t *)"the sample nonce", key);
	assert_string_equal(key, KEY);
	ws_put_request("box:443", "", "t0ken", key, &got);
	assert_int_equal(buf_error(&got), SBX_OK);
	assert_ptr_equal(strstr(buf_text(&got),
			     "GET / HTTP/1.1\r\n"
			     "Host: box:443\r\n"),
	    buf_text(&got));
	assert_non_null(
	    strstr(buf_text(&got), "\r\nAuthorization: Bearer t0ken\r\n\r\n"));
	buf_reset(&got);
	ws_put_request("box", "/a?b", NULL, key, &got);
	assert_non_null(strstr(buf_text(&got), "GET /a?b HTTP/1.1\r\n"));
	assert_null(strstr(buf_text(&got), "Authorization"));
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	CASE_ROWS(sizes, test_reading);
	CASE_ROWS(sizes, test_writing);
	CASE(test_what_came_with_the_response);
	CASE(test_half_closed);
	CASE(test_flood_of_pings);
	CASE_ROWS(endless, test_endless);
	CASE_ROWS(bad, test_bad);
	CASE(test_largest_message);
	CASE(test_end_without_close);
	CASE_ROWS(responses, test_response);
	CASE(test_request);
	return cases_run("ws");
}
