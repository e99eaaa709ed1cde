/* SPDX-License-Identifier: ISC */
/*
 * What comes in over a WebSocket, in bites of any size and with any part of
 * it read too early.  The stream that we hand on is what a plain reading of
 * the frames gives, or the beginning of it; all of it where the peer ended
 * it well.  What we answer is masked and made of whole frames.
 *
 * The input: how much is read at once below and above, how much was early,
 * and then what the server says.
 */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "net/ws.h"
#include "tests/fuzz/fuzz.h"

#define SAID_MAX 65536
#define HEARD_MAX (1024 * 1024)

static struct {
	struct view left;
	size_t bite;
	struct buf heard;
} peer;

static ssize_t
peer_read(void *context, void *bytes, size_t size)
{
	size_t n = peer.left.len < peer.bite ? peer.left.len : peer.bite;

	(void)context;
	if (n > size)
		n = size;
	if (n > 0)
		memcpy(bytes, peer.left.p, n);
	peer.left = VIEW(peer.left.p + n, peer.left.len - n);
	return (ssize_t)n;
}

static ssize_t
peer_write(void *context, const void *bytes, size_t len)
{
	(void)context;
	buf_put(&peer.heard, bytes, len);
	return (ssize_t)len;
}

/* Of a frame: false at the end. */
struct frame {
	uint8_t first;
	bool masked;
	uint64_t announced;
	struct view payload; /* as much of it as there is */
};

static bool
next_frame(struct wire *w, struct frame *ret)
{
	uint8_t second;

	ret->first = wire_u8(w);
	second = wire_u8(w);
	ret->masked = (second & 0x80) != 0;
	ret->announced = second & 0x7f;
	if (ret->announced == 126) {
		ret->announced = (uint64_t)wire_u8(w) << 8;
		ret->announced |= wire_u8(w);
	} else if (ret->announced == 127)
		ret->announced = wire_u64(w);
	if (ret->masked)
		(void)wire_bytes(w, 4);
	if (wire_error(w) != SBX_OK)
		return false;
	ret->payload.len = ret->announced < w->left ? ret->announced : w->left;
	ret->payload.p = wire_bytes(w, ret->payload.len).p;
	return true;
}

/* The payload of all frames of data up to the first Close. */
static void
read_plainly(struct view said, struct buf *ret)
{
	struct wire w = wire_of(said);
	struct frame frame;

	while (next_frame(&w, &frame) && (frame.first & 0x0f) != 8) {
		if ((frame.first & 0x0f) < 8)
			buf_put_view(ret, frame.payload);
	}
}

/* Pongs and Closes, whole and masked. */
static void
check_heard(void)
{
	struct wire w = wire_of(buf_view(&peer.heard));
	struct frame frame;

	while (w.left > 0) {
		FUZZ_ASSERT(next_frame(&w, &frame));
		FUZZ_ASSERT(frame.first == 0x8a || frame.first == 0x88);
		FUZZ_ASSERT(frame.masked && frame.announced <= 125);
		FUZZ_ASSERT(frame.payload.len == frame.announced);
	}
}

/* To the end; the last result of ws_read. */
static ssize_t
read_all(struct ws *ws, size_t bite, struct buf *ret)
{
	uint8_t bytes[256];
	ssize_t n;

	do {
		n = ws_read(ws, bytes, bite);
		FUZZ_ASSERT(n <= (ssize_t)bite);
		if (n > 0)
			buf_put(ret, bytes, (size_t)n);
		else if (n < 0)
			FUZZ_ASSERT(errno == EPROTO || errno == ECONNRESET ||
			    errno == EAGAIN || errno == EINTR);
		if (ws_flush(ws) < 0)
			FUZZ_ASSERT(errno == EPROTO);
	} while (n > 0 || (n < 0 && errno == EINTR) ||
	    (n < 0 && errno == EAGAIN && peer.left.len > 0));
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct ws_io io = { peer_read, peer_write, NULL };
	cleanup_buf struct buf got = BUF_INIT(SAID_MAX),
			       want = BUF_INIT(SAID_MAX);
	struct ws *ws = NULL;
	struct view said;
	size_t early;
	ssize_t last;

	if (size < 3 || size > SAID_MAX)
		return 0;
	said = VIEW(bytes + 3, size - 3);
	early = bytes[2] < said.len ? bytes[2] : said.len;
	peer.left = VIEW(said.p + early, said.len - early);
	peer.bite = (size_t)bytes[0] + 1;
	peer.heard = BUF_INIT(HEARD_MAX);
	FUZZ_ASSERT(ws_new(&io, VIEW(said.p, early), &ws) == SBX_OK);
	last = read_all(ws, (size_t)bytes[1] + 1, &got);
	ws_free(ws);
	read_plainly(said, &want);
	FUZZ_ASSERT(buf_error(&got) == SBX_OK && buf_error(&want) == SBX_OK);
	FUZZ_ASSERT(got.len <= want.len);
	FUZZ_ASSERT(got.len == 0 || memcmp(got.p, want.p, got.len) == 0);
	if (last == 0)
		FUZZ_ASSERT(got.len == want.len);
	check_heard();
	buf_free(&peer.heard);
	return 0;
}
