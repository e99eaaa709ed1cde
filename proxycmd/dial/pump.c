/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

/* One direction. */
struct stream {
	int from, to;
	size_t start, len; /* what of buffer is to be written */
	bool ended;	   /* from has no more */
	bool done;	   /* and to was told so */
	uint8_t buffer[PUMP_BUFFER];
};

enum { IN, OUT, PEER, DESCRIPTORS };

static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* False on an error of from; errno tells. */
static bool
fill(struct stream *s)
{
	ssize_t n = read(s->from, s->buffer, sizeof(s->buffer));

	if (n < 0)
		return would_block();
	s->start = 0;
	s->len = (size_t)n;
	s->ended = n == 0;
	return true;
}

/* False on an error of to; errno tells. */
static bool
drain(struct stream *s)
{
	ssize_t n = write(s->to, s->buffer + s->start, s->len);

	if (n < 0)
		return would_block();
	s->start += (size_t)n;
	s->len -= (size_t)n;
	return true;
}

/* Pass the end of from on to the reader of to. */
static void
finish(struct stream *s)
{
	s->done = true;
	if (shutdown(s->to, SHUT_WR) < 0 && errno == ENOTSOCK)
		(void)close(s->to);
}

/* Its reader is gone: what is left has nowhere to go. */
static void
give_up(struct stream *s)
{
	s->len = 0;
	s->ended = true;
	s->done = true;
}

/*
 * Read if there is room, then write at once: poll is asked only when one of
 * them would block.
 */
static enum sbx_err
step(struct stream *s, short from_ready, short to_ready)
{
	bool wrote = true;

	if (s->len == 0 && !s->ended && from_ready != 0) {
		/* A reset is an end too; ssh sees for itself what is missing */
		if (!fill(s)) {
			if (errno != ECONNRESET)
				return SBX_IO;
			s->ended = true;
		}
		to_ready = POLLOUT;
	}
	if (s->len > 0 && to_ready != 0)
		wrote = drain(s);
	if (!wrote)
		return SBX_UNAVAILABLE;
	if (s->ended && s->len == 0 && !s->done)
		finish(s);
	return SBX_OK;
}

/*
 * An idle descriptor is left out, as POLLHUP cannot be masked and would make
 * poll return at once for ever; but out always stays in, to see its reader
 * go.
 */
static void
interest(const struct stream *up, const struct stream *down,
    struct pollfd pfd[static DESCRIPTORS])
{
	short in = !up->ended && up->len == 0 ? POLLIN : 0;
	short peer = !down->ended && down->len == 0 ? POLLIN : 0;

	if (up->len > 0)
		peer |= POLLOUT;
	pfd[IN] = (struct pollfd){ in != 0 ? up->from : -1, in, 0 };
	pfd[OUT] = (struct pollfd){ down->done ? -1 : down->to,
		down->len > 0 ? POLLOUT : 0, 0 };
	pfd[PEER] = (struct pollfd){ peer != 0 ? up->to : -1, peer, 0 };
}

static enum sbx_err
loop(struct stream *up, struct stream *down)
{
	struct pollfd pfd[DESCRIPTORS];

	while (!up->done || !down->done) {
		enum sbx_err err;

		interest(up, down, pfd);
		if (poll(pfd, DESCRIPTORS, /* timeout= */ -1) < 0) {
			if (errno == EINTR)
				continue;
			return SBX_IO;
		}
		if ((pfd[OUT].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
			return SBX_OK;
		err =
		    step(down, pfd[PEER].revents & ~POLLOUT, pfd[OUT].revents);
		if (err == SBX_UNAVAILABLE)
			return errno == EPIPE || errno == ECONNRESET ? SBX_OK
								     : SBX_IO;
		if (err != SBX_OK)
			return err;
		err = step(up, pfd[IN].revents, pfd[PEER].revents & ~POLLIN);
		if (err == SBX_UNAVAILABLE)
			give_up(up); /* it may still have something to say */
		else if (err != SBX_OK)
			return err;
	}
	return SBX_OK;
}

static int
set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	return flags;
}

enum sbx_err
pump_run(int in, int out, int peer, struct sbx_why *why)
{
	int in_flags = set_nonblocking(in), out_flags = set_nonblocking(out);
	cleanup_free struct stream *up = calloc(1, sizeof(*up));
	cleanup_free struct stream *down = calloc(1, sizeof(*down));
	enum sbx_err err = SBX_IO;
	int error;

	if (up == NULL || down == NULL)
		return SBX_NOMEM;
	up->from = in;
	up->to = peer;
	down->from = peer;
	down->to = out;
	if (in_flags >= 0 && out_flags >= 0 && set_nonblocking(peer) >= 0)
		err = loop(up, down);
	error = errno;
	/* They may be shared, with a shell on a terminal for one. */
	if (in_flags >= 0)
		(void)fcntl(in, F_SETFL, in_flags);
	if (out_flags >= 0 && !down->done)
		(void)fcntl(out, F_SETFL, out_flags);
	(void)close(peer);
	if (err != SBX_OK)
		return sbx_fail(
		    why, err, "the connection broke: %s", strerror(error));
	return SBX_OK;
}
