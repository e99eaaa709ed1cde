/* SPDX-License-Identifier: ISC */
#include "net/ws.h"

#include <errno.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

#include "common/cleanup.h"
#include "common/text.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define IO_SIZE 65536
#define MESSAGE IO_SIZE		  /* bytes of ours in one message */
#define HEAD_MAX 14		  /* of a masked frame */
#define OUT_SIZE (MESSAGE + 4096) /* with room for frames of control */
#define QUEUE_MAX 64		  /* answers to pings that wait to be sent */
#define PULL_MAX (2 * IO_SIZE)	  /* bytes of the peer's in one ws_read */

_Static_assert(HEAD_MAX + MESSAGE <= OUT_SIZE, "a message fits");

struct ws {
	struct ws_io io;
	wslay_event_context_ptr context;
	/* from the connection, not judged yet */
	uint8_t in[IO_SIZE];
	size_t in_start, in_len;
	/* to the connection, with frames around it */
	uint8_t out[OUT_SIZE];
	size_t out_start, out_len;
	/* where ws_read wants the payload */
	uint8_t *payload;
	size_t room, got;
	size_t pulled; /* bytes that wslay took in this ws_read */
	bool in_data;  /* the frame that comes in is a data frame */
	bool ended;    /* the connection has no more */
	bool finished; /* we have said Close */
	int error;     /* errno that the connection gave, for good */
};

void
ws_make_key(const uint8_t random[static 16], char ret[static WS_KEY_LEN])
{
	(void)sodium_bin2base64(
	    ret, WS_KEY_LEN, random, 16, sodium_base64_VARIANT_ORIGINAL);
}

void
ws_put_request(const char *authority, const char *path, const char *bearer,
    const char *key, struct buf *ret)
{
	buf_printf(ret,
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: %s\r\nUser-Agent: %s\r\n",
	    *path == '\0' ? "/" : path, authority, key,
	    PACKAGE_NAME "/" PACKAGE_VERSION);
	if (bearer != NULL && *bearer != '\0')
		buf_printf(ret, "Authorization: Bearer %s\r\n", bearer);
	buf_put_text(ret, "\r\n");
}

/* The value of a header, without the blanks around it; NULL: not there. */
static struct view
find_header(const char *response, const char *name)
{
	struct view rest = VIEW_STR(response), line;
	size_t len = strlen(name);

	while (text_next_line(&rest, &line)) {
		if (line.len <= len || line.p[len] != ':' ||
		    strncasecmp((const char *)line.p, name, len) != 0)
			continue;
		line.p += len + 1;
		line.len -= len + 1;
		while (line.len > 0 && strchr(" \t", line.p[0]) != NULL) {
			line.p++;
			line.len--;
		}
		while (line.len > 0 &&
		    strchr(" \t\r", line.p[line.len - 1]) != NULL)
			line.len--;
		return line;
	}
	return VIEW(NULL, 0);
}

static bool
accepts(const char *response, const char *key)
{
	struct view said = find_header(response, "Sec-WebSocket-Accept");
	struct view upgrade = find_header(response, "Upgrade");
	unsigned char digest[SHA_DIGEST_LENGTH];
	char text[WS_KEY_LEN + sizeof(GUID)], want[32];

	(void)snprintf(text, sizeof(text), "%s" GUID, key);
	(void)SHA1((const unsigned char *)text, strlen(text), digest);
	(void)sodium_bin2base64(want, sizeof(want), digest, sizeof(digest),
	    sodium_base64_VARIANT_ORIGINAL);
	return upgrade.len == 9 &&
	    strncasecmp((const char *)upgrade.p, "websocket", 9) == 0 &&
	    view_eq_str(said, want) &&
	    /* none was asked for */
	    find_header(response, "Sec-WebSocket-Extensions").p == NULL &&
	    find_header(response, "Sec-WebSocket-Protocol").p == NULL;
}

enum sbx_err
ws_judge_response(const char *response, const char *key, const char *host,
    struct sbx_why *why)
{
	int line = (int)strcspn(response, "\r\n");

	if (strncmp(response, "HTTP/1.1 101", 12) == 0)
		return accepts(response, key)
		    ? SBX_OK
		    : sbx_fail(why, SBX_PROTOCOL,
			  "%s agrees to a WebSocket in a wrong way", host);
	if (strncmp(response, "HTTP/1.1 401", 12) == 0 ||
	    strncmp(response, "HTTP/1.1 403", 12) == 0)
		return sbx_fail(why, SBX_REFUSED,
		    "%s refuses the tunnel (%.*s): is the token right?", host,
		    line, response);
	if (strncmp(response, "HTTP/1.", 7) == 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%s has no tunnel there: it answers \"%.*s\"", host,
		    line > 80 ? 80 : line, response);
	return sbx_fail(
	    why, SBX_PROTOCOL, "%s does not speak HTTP there", host);
}

/* --- what wslay calls */

static ssize_t
on_read(wslay_event_context_ptr context, uint8_t *bytes, size_t size, int flags,
    void *user)
{
	struct ws *ws = user;
	size_t n;

	(void)flags;
	/* wslay asks until there is nothing: not more than fits at the end. */
	if (ws->room - ws->got < size)
		size = ws->room - ws->got;
	if (size == 0 || ws->pulled >= PULL_MAX ||
	    wslay_event_get_queued_msg_count(context) > QUEUE_MAX) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (ws->in_len == 0 && !ws->ended) {
		ssize_t got = ws->io.read(ws->io.context, ws->in, IO_SIZE);

		ws->in_start = 0;
		if (got > 0)
			ws->in_len = (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			ws->ended = true;
	}
	if (ws->in_len == 0) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	n = ws->in_len < size ? ws->in_len : size;
	memcpy(bytes, ws->in + ws->in_start, n);
	ws->in_start += n;
	ws->in_len -= n;
	ws->pulled += n;
	return (ssize_t)n;
}

static ssize_t
on_write(wslay_event_context_ptr context, const uint8_t *bytes, size_t len,
    int flags, void *user)
{
	struct ws *ws = user;
	size_t end = ws->out_start + ws->out_len, n = OUT_SIZE - end;

	(void)flags;
	if (n == 0) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (n > len)
		n = len;
	memcpy(ws->out + end, bytes, n);
	ws->out_len += n;
	return (ssize_t)n;
}

static int
on_mask(wslay_event_context_ptr context, uint8_t *bytes, size_t len, void *user)
{
	(void)context;
	(void)user;
	randombytes_buf(bytes, len);
	return 0;
}

static void
on_frame(wslay_event_context_ptr context,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
	struct ws *ws = user;

	(void)context;
	ws->in_data = !wslay_is_ctrl_frame(frame->opcode);
}

static void
on_payload(wslay_event_context_ptr context,
    const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *user)
{
	struct ws *ws = user;

	(void)context;
	if (!ws->in_data)
		return;
	if (chunk->data_length > ws->room - ws->got) {
		ws->error = EPROTO; /* cannot be: on_read gives no more */
		return;
	}
	memcpy(ws->payload + ws->got, chunk->data, chunk->data_length);
	ws->got += chunk->data_length;
}

enum sbx_err
ws_new(const struct ws_io *io, struct view early, struct ws **ret)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_read,
		.send_callback = on_write,
		.genmask_callback = on_mask,
		.on_frame_recv_start_callback = on_frame,
		.on_frame_recv_chunk_callback = on_payload,
	};
	struct ws *ws;

	if (early.len > IO_SIZE)
		return SBX_TOO_LARGE;
	ws = calloc(1, sizeof(*ws));
	if (ws == NULL ||
	    wslay_event_context_client_init(&ws->context, &callbacks, ws) !=
		0) {
		free(ws);
		return SBX_NOMEM;
	}
	ws->io = *io;
	if (early.len > 0)
		memcpy(ws->in, early.p, early.len);
	ws->in_len = early.len;
	wslay_event_config_set_no_buffering(ws->context, 1);
	wslay_event_config_set_max_recv_msg_length(ws->context, WS_MESSAGE_MAX);
	*ret = ws;
	return SBX_OK;
}

void
ws_free(struct ws *ws)
{
	if (ws == NULL)
		return;
	wslay_event_context_free(ws->context);
	free(ws);
}

ssize_t
ws_read(struct ws *ws, void *bytes, size_t size)
{
	size_t before;
	int result;

	ws->payload = bytes;
	ws->room = size;
	ws->got = 0;
	ws->pulled = 0;
	/* It returns in the middle of a header too, with more to be had. */
	do {
		before = ws->pulled;
		result = wslay_event_recv(ws->context);
	} while (result == 0 && ws->got == 0 && ws->pulled > before);
	ws->room = 0;
	if (ws->got > 0)
		return (ssize_t)ws->got;
	if (result != 0 || ws->error != 0) {
		errno = EPROTO;
		return -1;
	}
	if (wslay_event_get_close_received(ws->context)) {
		/* 1000 and none are good ends; what wslay itself objected to,
		 * it has answered with a Close of its own. */
		return 0;
	}
	if (!wslay_event_get_read_enabled(ws->context)) {
		errno = EPROTO;
		return -1;
	}
	/* Nobody can poll for what is left in our buffers, and TLS's. */
	if (ws->pulled > 0)
		errno = EINTR;
	else
		errno = ws->ended ? ECONNRESET : EAGAIN; /* no Close came */
	return -1;
}

/* Let wslay put frames into out, and send those. */
int
ws_flush(struct ws *ws)
{
	do {
		ssize_t n = 0;

		/* Between frames of data: there is none that is half made. */
		if (wslay_event_want_write(ws->context) &&
		    wslay_event_send(ws->context) != 0) {
			errno = EPROTO;
			return -1;
		}
		if (ws->out_len == 0)
			break;
		n = ws->io.write(
		    ws->io.context, ws->out + ws->out_start, ws->out_len);
		if (n < 0)
			return -1;
		ws->out_start += (size_t)n;
		ws->out_len -= (size_t)n;
		if (ws->out_len == 0)
			ws->out_start = 0;
	} while (ws->out_len > 0 || wslay_event_want_write(ws->context));
	return 0;
}

/* XOR with the mask, eight bytes at a time. */
static void
put_masked(
    uint8_t *to, const uint8_t *bytes, size_t len, const uint8_t mask[static 4])
{
	uint64_t wide, word;
	size_t i = 0;

	memcpy(&wide, mask, 4);
	memcpy((uint8_t *)&wide + 4, mask, 4);
	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		word ^= wide;
		memcpy(to + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		to[i] = bytes[i] ^ mask[i % 4];
}

/*
 * Frames of data are made here: wslay masks byte by byte, at several times
 * the cost of the encryption below.
 */
static void
put_frame(struct ws *ws, const uint8_t *bytes, size_t len)
{
	uint8_t *to = ws->out + ws->out_start + ws->out_len, *p = to;

	*p++ = 0x80 | WSLAY_BINARY_FRAME;
	size_t wide = len < 126 ? 0 : len < 65536 ? 2 : 8;

	*p++ = (uint8_t)(0x80 | (wide == 0 ? len : wide == 2 ? 126 : 127));
	for (size_t i = wide; i > 0; i--)
		*p++ = (uint8_t)((uint64_t)len >> 8 * (i - 1));
	randombytes_buf(p, 4);
	put_masked(p + 4, bytes, len, p);
	ws->out_len += (size_t)(p - to) + 4 + len;
}

ssize_t
ws_write(struct ws *ws, const void *bytes, size_t len)
{
	if (len > MESSAGE)
		len = MESSAGE;
	if (ws->finished) {
		errno = EPIPE;
		return -1;
	}
	/*
	 * What wslay has to say goes first, and whole; and one message at a
	 * time: what is not sent yet stays with the caller.
	 */
	if (ws_flush(ws) < 0)
		return -1;
	put_frame(ws, bytes, len);
	if (ws_flush(ws) < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	return (ssize_t)len;
}

void
ws_ping(struct ws *ws)
{
	struct wslay_event_msg message = { WSLAY_PING, NULL, 0 };

	(void)wslay_event_queue_msg(ws->context, &message);
}

void
ws_finish(struct ws *ws)
{
	ws->finished = true;
	(void)wslay_event_queue_close(
	    ws->context, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
}
