/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "proxycmd/dial/greeting.h"
#include "proxycmd/dial/kind.h"

#define BANNER "SSH-2.0-OpenSSH_9.2\r\n"

static const struct row {
	const char *name;
	bool http;
	const char *answer; /* what the other side says */
	enum sbx_err want;
	const char *says; /* in the message */
} rows[] = {
	{ "mux: as Firecracker answers", false, "OK 1073741824\n", SBX_OK,
	    NULL },
	{ "mux: hung up on", false, "", SBX_UNAVAILABLE, "closed" },
	{ "mux: hung up on in the middle", false, "OK 10", SBX_UNAVAILABLE,
	    "closed" },
	{ "mux: no number", false, "OK \n", SBX_UNAVAILABLE, "port 22" },
	{ "mux: not quite a number", false, "OK 1x\n", SBX_UNAVAILABLE,
	    "port 22" },
	{ "mux: a return before the end", false, "OK 1\r\n", SBX_UNAVAILABLE,
	    "port 22" },
	{ "mux: too large a number", false, "OK 4294967296\n", SBX_UNAVAILABLE,
	    "port 22" },
	{ "mux: no", false, "NO\n", SBX_UNAVAILABLE, "'NO" },
	{ "mux: never ends", false, "OK 0000000000000000000000000000000001\n",
	    SBX_UNAVAILABLE, "makes no sense" },
	{ "http: 200", true, "HTTP/1.1 200 Connection established\r\n\r\n",
	    SBX_OK, NULL },
	{ "http: headers", true,
	    "HTTP/1.0 200 OK\r\nVia: x\r\nContent-Length: 5\r\n\r\n", SBX_OK,
	    NULL },
	{ "http: no reason", true, "HTTP/1.1 204\r\n\r\n", SBX_OK, NULL },
	{ "http: 407", true, "HTTP/1.1 407 Auth\r\n\r\n", SBX_REFUSED,
	    "(407): put a line \"proxy:3128 USER PASSWORD\"" },
	{ "http: 502", true, "HTTP/1.1 502 Bad Gateway\r\n\r\n",
	    SBX_UNAVAILABLE, "box:22: HTTP/1.1 502 Bad Gateway" },
	{ "http: 100", true, "HTTP/1.1 100 Continue\r\n\r\n", SBX_UNAVAILABLE,
	    "100" },
	{ "http: HTTP/2", true, "HTTP/2.0 200 OK\r\n\r\n", SBX_PROTOCOL,
	    "does not answer like" },
	{ "http: a long status", true, "HTTP/1.1 2000 OK\r\n\r\n", SBX_PROTOCOL,
	    "does not answer like" },
	{ "http: a short one", true, "HTTP/1.1 20\r\n\r\n", SBX_PROTOCOL,
	    "does not answer like" },
	{ "http: SSH at once", true, BANNER "\r\n", SBX_PROTOCOL,
	    "does not answer like" },
	{ "http: hung up on", true, "HTTP/1.1 200 OK\r\n", SBX_UNAVAILABLE,
	    "closed" },
};

static struct greeting *
begin(bool http, struct endpoint *endpoint)
{
	static const struct paths paths = { .config = "/nonexistent" };
	static const struct dial_setup setup = { .paths = &paths };
	struct greeting *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	assert_int_equal(endpoint_parse(http ? "connect://proxy:3128/box:22"
					     : "unix-mux:/x#22",
			     endpoint, NULL),
	    SBX_OK);
	*g = (struct greeting){ .endpoint = endpoint,
		.request = BUF_INIT(GREETING_MAX),
		.answer = BUF_INIT(GREETING_MAX) };
	assert_int_equal(
	    endpoint->kind->greet(endpoint, &setup, g, NULL), SBX_OK);
	return g;
}

static void
make_pair(int pair[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

/* The answer at so many bytes a time, the banner right behind it. */
static void
play(const struct row *row, size_t bite)
{
	struct endpoint endpoint;
	struct greeting *g = begin(row->http, &endpoint);
	size_t len = strlen(row->answer), at = 0;
	struct sbx_why why = { "" };
	char text[8192];
	enum sbx_err err;
	short events = 0;
	int pair[2];
	ssize_t n;

	make_pair(pair);
	while ((err = greeting_step(g, pair[0], &events, &why)) == SBX_STATE) {
		size_t part = len - at < bite ? len - at : bite;

		assert_int_equal(events, POLLIN);
		if (at == len) {
			assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
			continue;
		}
		assert_int_equal(write(pair[1], row->answer + at, part), part);
		at += part;
		if (at == len && row->want == SBX_OK)
			assert_int_equal(write(pair[1], BANNER, 21), 21);
	}
	assert_int_equal(err, row->want);
	n = read(pair[1], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text,
	    row->http ? "CONNECT box:22 HTTP/1.1\r\nHost: box:22\r\n\r\n"
		      : "CONNECT 22\n");
	if (row->says != NULL)
		assert_non_null(strstr(why.text, row->says));
	if (row->want == SBX_OK) {
		/* not a byte of it is missing */
		assert_int_equal(read(pair[0], text, sizeof(text)), 21);
		assert_memory_equal(text, BANNER, 21);
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	greeting_free(g);
}

static void
test_row(void **state)
{
	play(*state, 1);
	play(*state, 7);
	play(*state, 10000);
}

/* A header without an end, and one with a NUL in it. */
static void
test_endless(void **state)
{
	static const char line[] = "X-Header: nothing of interest\r\n";
	struct endpoint endpoint;
	struct greeting *g = begin(true, &endpoint);
	struct sbx_why why = { "" };
	size_t sent = 0;
	short events;
	int pair[2];

	(void)state;
	make_pair(pair);
	while (greeting_step(g, pair[0], &events, &why) == SBX_STATE) {
		sent += (size_t)write(pair[1], line, sizeof(line) - 1);
		assert_true(sent < 2 * GREETING_MAX);
	}
	assert_non_null(strstr(why.text, "makes no sense"));
	greeting_free(g);
	g = begin(true, &endpoint);
	(void)close(pair[0]);
	(void)close(pair[1]);
	make_pair(pair);
	assert_int_equal(write(pair[1], "HTTP/1.1 200 OK\0\r\n\r\n", 20), 20);
	assert_int_equal(
	    greeting_step(g, pair[0], &events, &why), SBX_UNAVAILABLE);
	greeting_free(g);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(test_endless);
	return cases_run("greeting");
}
