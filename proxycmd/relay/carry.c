/* SPDX-License-Identifier: ISC */
#include "proxycmd/relay/carry.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "common/cleanup.h"

/* One direction. */
struct stream {
	size_t start, len; /* what of bytes is to be written */
	bool ended;	   /* nothing more comes */
	bool done;	   /* and the other side was told */
	uint8_t bytes[CARRY_BUFFER];
};

struct carry {
	int local;
	struct link *link;
	struct stream up, down;
	bool flushed; /* the link has sent all that it was given */
	bool again;   /* the link has more to read than poll can tell */
	bool gone;    /* ssh is: nobody reads what comes down */
	int64_t gone_at, heard_at, asked_at;
	enum sbx_err err; /* other than SBX_OK: it broke */
};

enum { LOCAL, LINK, DESCRIPTORS };

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void
break_off(struct carry *c)
{
	c->err = SBX_IO;
}

static void
lose_ssh(struct carry *c)
{
	c->gone = true;
	c->gone_at = now();
	c->down.len = 0;
}

/* From ssh to the link; true if anything moved. */
static bool
pump_up(struct carry *c)
{
	struct stream *s = &c->up;
	bool moved = false;
	ssize_t n;

	if (s->len == 0 && !s->ended) {
		n = recv(c->local, s->bytes, sizeof(s->bytes), MSG_DONTWAIT);
		if (n > 0) {
			s->start = 0;
			s->len = (size_t)n;
			moved = true;
		} else if (n == 0 || !would_block()) {
			s->ended = true;
			moved = true;
		}
	}
	if (s->len > 0) {
		n = link_write(c->link, s->bytes + s->start, s->len);
		if (n > 0) {
			s->start += (size_t)n;
			s->len -= (size_t)n;
			moved = true;
		} else if (n < 0 && !would_block()) {
			/* It may still have something to say. */
			s->len = 0;
			s->ended = true;
			s->done = true;
		}
	}
	if (s->ended && s->len == 0 && !s->done) {
		link_finish(c->link);
		s->done = true;
		moved = true;
	}
	c->flushed = link_flush(c->link) == 0;
	if (!c->flushed && !would_block())
		c->flushed = true; /* reading will tell what is wrong */
	return moved;
}

static bool
pump_down(struct carry *c)
{
	struct stream *s = &c->down;
	bool moved = false;
	ssize_t n;

	c->again = false;
	if (s->len == 0 && !s->ended) {
		n = link_read(c->link, s->bytes, sizeof(s->bytes));
		if (n > 0) {
			s->start = 0;
			s->len = c->gone ? 0 : (size_t)n;
			c->heard_at = now();
			moved = true;
		} else if (n == 0) {
			s->ended = true;
			moved = true;
		} else if (errno == EINTR)
			c->again = true;
		else if (!would_block())
			break_off(c);
	}
	if (s->len > 0) {
		n = send(c->local, s->bytes + s->start, s->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			s->start += (size_t)n;
			s->len -= (size_t)n;
			moved = true;
		} else if (n < 0 && !would_block())
			lose_ssh(c);
	}
	if (s->ended && s->len == 0 && !s->done) {
		(void)shutdown(c->local, SHUT_WR);
		s->done = true;
		moved = true;
	}
	return moved;
}

static bool
is_over(const struct carry *c)
{
	if (c->err != SBX_OK)
		return true;
	/* What ssh wrote last is still for the server, if it takes it. */
	if (c->gone)
		return (c->up.done && c->flushed) ||
		    now() - c->gone_at >= CARRY_FAREWELL;
	return c->up.done && c->down.done && c->flushed;
}

/* Seconds until something is to be done unasked; also does it. */
static int
mind_the_time(struct carry *c)
{
	int64_t t = now(), silent = t - c->heard_at;

	if (c->gone)
		return 1;
	if (silent < CARRY_PING)
		return (int)(CARRY_PING - silent);
	if (t - c->asked_at >= CARRY_PING) {
		if (!link_ping(c->link))
			return CARRY_DEAD; /* TCP's keepalive minds it */
		c->asked_at = t;
		c->flushed = link_flush(c->link) == 0;
	}
	if (silent >= CARRY_DEAD)
		c->err = SBX_TIMEOUT;
	return CARRY_PING;
}

static void
wait_for_more(struct carry *c)
{
	struct pollfd pfd[DESCRIPTORS] = {
		/* An end of both directions cannot be masked. */
		[LOCAL] = { c->gone ? -1 : c->local, 0, 0 },
		[LINK] = { link_fd(c->link), 0, 0 },
	};
	int seconds = mind_the_time(c);

	/* Only a look at ssh: a server that babbles must not hide its end. */
	if (c->again)
		seconds = 0;

	if (c->up.len == 0 && !c->up.ended)
		pfd[LOCAL].events |= POLLIN;
	if (c->down.len > 0)
		pfd[LOCAL].events |= POLLOUT;
	if (c->down.len == 0 && !c->down.ended)
		pfd[LINK].events |= POLLIN;
	if (c->up.len > 0 || !c->flushed)
		pfd[LINK].events |= POLLOUT;
	/* Its errors show when it is read; POLLHUP would not let us sleep. */
	if (pfd[LINK].events == 0)
		pfd[LINK].fd = -1;
	if (poll(pfd, DESCRIPTORS, seconds * 1000) <= 0)
		return;
	if ((pfd[LOCAL].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		lose_ssh(c);
	/* Something came, be it only an answer to a ping. */
	if ((pfd[LINK].revents & POLLIN) != 0)
		c->heard_at = now();
}

enum sbx_err
carry_run(int local, struct link *link)
{
	cleanup_free struct carry *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return SBX_NOMEM;
	c->local = local;
	c->link = link;
	c->heard_at = now();
	c->asked_at = c->heard_at;
	for (;;) {
		bool moved = pump_up(c);

		moved = pump_down(c) || moved;
		if (is_over(c))
			return c->err;
		if (!moved)
			wait_for_more(c);
	}
}
