/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "proxycmd/relay/carry.h"

/*
 * The link below is a pair of sockets.  Its other end is the server; the
 * writes that it takes at a time are few, and short.
 */
struct link {
	int fd;
	size_t bite; /* 0: whatever fits */
	bool finished, silent;
	unsigned pings;
	/* reads that have nothing for the caller, who is to come again */
	unsigned babble;
	const char *hidden; /* is read then, and poll does not tell */
	int hang_up;	    /* closed when bytes come in; -1: none */
};

static struct link the_link;

int
link_fd(const struct link *link)
{
	return link->fd;
}

ssize_t
link_read(struct link *link, void *bytes, size_t size)
{
	ssize_t n;

	if (link->babble > 0) {
		link->babble -= link->babble < UINT_MAX;
		errno = EINTR;
		return -1;
	}
	if (link->hidden != NULL) {
		n = (ssize_t)strlen(link->hidden);
		memcpy(bytes, link->hidden, (size_t)n);
		link->hidden = NULL;
		return n;
	}
	if (link->bite != 0 && size > link->bite)
		size = link->bite;
	n = recv(link->fd, bytes, size, MSG_DONTWAIT);
	if (n > 0 && link->hang_up >= 0) {
		(void)close(link->hang_up);
		link->hang_up = -1;
	}
	return n;
}

ssize_t
link_write(struct link *link, const void *bytes, size_t len)
{
	if (link->bite != 0 && len > link->bite)
		len = link->bite;
	return send(link->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
link_flush(struct link *link)
{
	return link->finished ? shutdown(link->fd, SHUT_WR) : 0;
}

void
link_finish(struct link *link)
{
	link->finished = true;
}

bool
link_ping(struct link *link)
{
	link->pings++;
	return true;
}

/* The relay in a thread, between ssh's end and the server's. */
struct world {
	pthread_t thread;
	int local, ssh, server;
	enum sbx_err err;
};

static void *
run(void *context)
{
	struct world *w = context;

	w->err = carry_run(w->local, &the_link);
	(void)close(w->local);
	(void)close(the_link.fd);
	return NULL;
}

static void
begin(struct world *ret, size_t bite)
{
	int a[2], b[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	the_link = (struct link){ .fd = b[0], .bite = bite, .hang_up = -1 };
	*ret = (struct world){ .local = a[0], .ssh = a[1], .server = b[1] };
	assert_int_equal(pthread_create(&ret->thread, NULL, run, ret), 0);
}

static enum sbx_err
end(struct world *w)
{
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	return w->err;
}

static void
expect(int fd, const char *text)
{
	char got[64] = "";
	size_t len = 0, want = strlen(text);

	while (len < want) {
		ssize_t n = read(fd, got + len, want - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(got, text);
}

static void
expect_end(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 0);
}

static void
test_both_ways_and_half_closed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 0);
	assert_int_equal(write(w.ssh, "up", 2), 2);
	expect(w.server, "up");
	assert_int_equal(shutdown(w.ssh, SHUT_WR), 0);
	expect_end(w.server);
	assert_int_equal(write(w.server, "down", 4), 4);
	expect(w.ssh, "down");
	(void)close(w.server);
	expect_end(w.ssh);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.ssh);
}

static void
test_server_ends_first(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 1);
	assert_int_equal(shutdown(w.server, SHUT_WR), 0);
	expect_end(w.ssh);
	assert_int_equal(write(w.ssh, "still here", 10), 10);
	expect(w.server, "still here");
	(void)close(w.ssh);
	expect_end(w.server);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.server);
}

/* What was written before the end is not lost with it. */
static void
test_last_words(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 3);
	assert_int_equal(write(w.ssh, "good bye, world", 15), 15);
	(void)close(w.ssh);
	expect(w.server, "good bye, world");
	expect_end(w.server);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.server);
}

/* Gone while the server talks without end. */
static void
test_gone(void **state)
{
	static char bytes[1 << 20];
	struct world w;

	(void)state;
	begin(&w, 0);
	(void)fcntl(w.server, F_SETFL, O_NONBLOCK);
	while (write(w.server, bytes, sizeof(bytes)) > 0)
		continue;
	(void)close(w.ssh);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.server);
}

/* As much as fits between ssh and a server that does not read. */
static size_t
fill(int ssh)
{
	static char bytes[1 << 20];
	struct pollfd pfd = { ssh, POLLOUT, 0 };
	size_t sent = 0;
	ssize_t n;

	(void)fcntl(ssh, F_SETFL, O_NONBLOCK);
	for (;;) {
		n = write(ssh, bytes, sizeof(bytes));
		if (n > 0)
			sent += (size_t)n;
		else if (poll(&pfd, 1, 300) == 0)
			return sent;
		assert_true(sent < 64U << 20);
	}
}

static void
drain(int server, size_t len)
{
	static char bytes[1 << 20];

	while (len > 0) {
		ssize_t n = read(server, bytes, sizeof(bytes));

		assert_true(n > 0);
		len -= (size_t)n;
	}
	expect_end(server);
}

/* Gone, and the server takes nothing: the farewell has an end. */
static void
test_gone_before_a_deaf_server(void **state)
{
	struct world w;

	(void)state;
	(void)alarm(CARRY_FAREWELL + 15);
	begin(&w, 0);
	(void)fill(w.ssh);
	(void)close(w.ssh);
	assert_int_equal(end(&w), SBX_OK);
	(void)alarm(0);
	(void)close(w.server);
}

/* It shows when bytes come down; what ssh wrote before still goes up. */
static void
test_gone_while_bytes_come(void **state)
{
	struct world w;
	size_t sent;

	(void)state;
	begin(&w, 0);
	sent = fill(w.ssh);
	the_link.hang_up = w.ssh;
	assert_int_equal(write(w.server, "x", 1), 1);
	drain(w.server, sent);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.server);
}

/* The link has more although its descriptor is quiet. */
static void
test_comes_again(void **state)
{
	struct pollfd pfd;
	struct world w;

	(void)state;
	begin(&w, 0);
	the_link.hidden = "down";
	the_link.babble = 5;
	assert_int_equal(write(w.ssh, "up", 2), 2);
	expect(w.server, "up");
	pfd = (struct pollfd){ w.ssh, POLLIN, 0 };
	assert_int_equal(poll(&pfd, 1, 10000), 1);
	expect(w.ssh, "down");
	(void)close(w.ssh);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.server);
}

/* A server that says nothing, without end, does not hide that ssh is gone. */
static void
test_gone_while_it_babbles(void **state)
{
	struct world w;

	(void)state;
	(void)alarm(CARRY_FAREWELL + 15);
	begin(&w, 0);
	the_link.babble = UINT_MAX;
	assert_int_equal(write(w.ssh, "up", 2), 2);
	expect(w.server, "up");
	(void)close(w.ssh);
	assert_int_equal(end(&w), SBX_OK);
	(void)alarm(0);
	(void)close(w.server);
}

/* Nobody reads: the sender is held up, and the processor is left alone. */
static void
test_back_pressure(void **state)
{
	struct rusage before, after;
	struct world w;
	size_t sent;

	(void)state;
	begin(&w, 0);
	sent = fill(w.ssh);
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	(void)poll(NULL, 0, 300);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 20);
	(void)close(w.ssh);
	drain(w.server, sent);
	assert_int_equal(end(&w), SBX_OK);
	(void)close(w.server);
}

static void
test_megabytes_both_ways(void **state)
{
	enum { SIZE = 1 << 22 };
	uint8_t *up = malloc(SIZE), *got = malloc(SIZE);
	size_t sent = 0, received = 0;
	struct world w;

	(void)state;
	assert_true(up != NULL && got != NULL);
	for (size_t i = 0; i < SIZE; i++)
		up[i] = (uint8_t)(i * 2654435761U >> 13);
	begin(&w, 1000);
	(void)fcntl(w.ssh, F_SETFL, O_NONBLOCK);
	(void)fcntl(w.server, F_SETFL, O_NONBLOCK);
	while (received < SIZE) {
		struct pollfd pfd[] = {
			{ w.ssh, sent < SIZE ? POLLOUT : 0, 0 },
			{ w.server, POLLIN, 0 },
		};
		ssize_t n;

		assert_true(poll(pfd, 2, 10000) > 0);
		n = sent < SIZE ? write(w.ssh, up + sent, SIZE - sent) : 0;
		sent += n > 0 ? (size_t)n : 0;
		n = read(w.server, got + received, SIZE - received);
		received += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(up, got, SIZE);
	(void)close(w.ssh);
	(void)close(w.server);
	assert_int_equal(end(&w), SBX_OK);
	free(up);
	free(got);
}

int
main(void)
{
	CASE(test_both_ways_and_half_closed);
	CASE(test_server_ends_first);
	CASE(test_last_words);
	CASE(test_gone);
	CASE(test_gone_before_a_deaf_server);
	CASE(test_gone_while_bytes_come);
	CASE(test_comes_again);
	CASE(test_gone_while_it_babbles);
	CASE(test_back_pressure);
	CASE(test_megabytes_both_ways);
	return cases_run("tunnel_carry");
}
