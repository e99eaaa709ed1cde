/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/greeting.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/text.h"
#include "proxycmd/dial/proxy_auth.h"

#define MUX_ANSWER_MAX 32 /* "OK ", a port, and some to spare */

static enum sbx_err
judge_mux(const struct greeting *g, const char *answer, struct sbx_why *why)
{
	struct view number = VIEW(answer + 3, 0);
	char digits[11];
	uint64_t port;

	if (strncmp(answer, "OK ", 3) == 0) {
		number.len = strlen(answer + 3) - 1; /* the line's end */
		if (text_copy(number, digits, sizeof(digits)) == SBX_OK &&
		    text_uint(digits, 0, UINT32_MAX, &port) == SBX_OK)
			return SBX_OK;
	}
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "%s: port %" PRIu32 " is not to be had: it answered '%.32s'",
	    g->endpoint->path, g->endpoint->number, answer);
}

enum sbx_err
greeting_mux(const struct endpoint *endpoint, const struct dial_setup *setup,
    struct greeting *ret, struct sbx_why *why)
{
	(void)setup;
	(void)why;
	buf_printf(&ret->request, "CONNECT %" PRIu32 "\n", endpoint->number);
	ret->end = "\n";
	ret->max = MUX_ANSWER_MAX;
	ret->judge = judge_mux;
	return buf_error(&ret->request);
}

/* The status of an HTTP answer; 0 if it is none. */
static unsigned
status_of(const char *answer)
{
	uint64_t status;
	char digits[4];

	if (strncmp(answer, "HTTP/1.", 7) != 0 ||
	    (answer[7] != '0' && answer[7] != '1') || answer[8] != ' ' ||
	    strlen(answer) < 12 || strchr(" \r\n", answer[12]) == NULL ||
	    text_copy(VIEW(answer + 9, 3), digits, sizeof(digits)) != SBX_OK ||
	    text_uint(digits, 100, 599, &status) != SBX_OK)
		return 0;
	return (unsigned)status;
}

static enum sbx_err
judge_proxy(const struct greeting *g, const char *answer, struct sbx_why *why)
{
	const struct endpoint *e = g->endpoint;
	unsigned status = status_of(answer);

	if (status / 100 == 2)
		return SBX_OK;
	if (status == 0)
		return sbx_fail(why, SBX_PROTOCOL,
		    "%s port %s does not answer like an HTTP proxy", e->host,
		    e->port);
	/* tinyproxy says 401 where the user or the password is wrong. */
	if (status == 407 || status == 401)
		return sbx_fail(why, SBX_REFUSED,
		    "the proxy %s:%s %s (%u): put a line \"%s:%s USER "
		    "PASSWORD\" into the credentials_file of [proxy]",
		    e->host, e->port,
		    strstr(buf_text(&g->request), "Proxy-Authorization:") ==
			    NULL
			? "wants a user and a password"
			: "does not take this user and password",
		    status, e->host, e->port);
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "the proxy %s:%s does not connect to %s: %.*s", e->host, e->port,
	    e->target, (int)strcspn(answer, "\r\n"), answer);
}

enum sbx_err
greeting_proxy(const struct endpoint *endpoint, const struct dial_setup *setup,
    struct greeting *ret, struct sbx_why *why)
{
	enum sbx_err err;

	buf_printf(&ret->request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n",
	    endpoint->target, endpoint->target);
	err = proxy_auth_put(endpoint, setup, &ret->request, why);
	buf_put_text(&ret->request, "\r\n");
	ret->end = "\r\n\r\n";
	ret->max = GREETING_MAX;
	ret->judge = judge_proxy;
	return err != SBX_OK ? err : buf_error(&ret->request);
}

/* SBX_OK when all of it is sent. */
static enum sbx_err
send_request(struct greeting *g, int fd)
{
	while (g->sent < g->request.len) {
		ssize_t n = send(fd, g->request.p + g->sent,
		    g->request.len - g->sent, MSG_NOSIGNAL);

		if (n >= 0)
			g->sent += (size_t)n;
		else if (errno == EAGAIN)
			return SBX_STATE;
		else if (errno != EINTR)
			return SBX_IO;
	}
	return SBX_OK;
}

/* How many of the bytes that were peeked at are the answer's. */
static size_t
part_of_answer(
    struct greeting *g, const uint8_t *bytes, size_t n, bool *ret_end)
{
	size_t len = strlen(g->end);

	for (size_t i = 0; i < n; i++) {
		buf_put_u8(&g->answer, bytes[i]);
		*ret_end = g->answer.len >= len &&
		    memcmp(g->answer.p + g->answer.len - len, g->end, len) == 0;
		if (*ret_end)
			return i + 1;
	}
	return n;
}

/*
 * Look first, then take what belongs to the answer: the server may already
 * have spoken behind it.
 */
static enum sbx_err
take_answer(struct greeting *g, int fd)
{
	uint8_t bytes[512];
	bool end = false;

	while (!end) {
		size_t room = g->max - g->answer.len, mine;
		ssize_t n = recv(fd, bytes,
		    room < sizeof(bytes) ? room : sizeof(bytes), MSG_PEEK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? SBX_STATE : SBX_IO;
		if (n == 0)
			return SBX_TRUNCATED;
		mine = part_of_answer(g, bytes, (size_t)n, &end);
		/* What was peeked at is there: this cannot come up short. */
		if (recv(fd, bytes, mine, 0) != (ssize_t)mine)
			return SBX_IO;
		if (!end && g->answer.len >= g->max)
			return SBX_TOO_LARGE;
	}
	return buf_error(&g->answer);
}

enum sbx_err
greeting_step(
    struct greeting *g, int fd, short *ret_events, struct sbx_why *why)
{
	enum sbx_err err = send_request(g, fd);
	const char *fault = NULL;

	*ret_events = POLLOUT;
	if (err == SBX_OK) {
		*ret_events = POLLIN;
		err = take_answer(g, fd);
	}
	if (err == SBX_OK && memchr(g->answer.p, '\0', g->answer.len) != NULL)
		err = SBX_PROTOCOL;
	if (err == SBX_OK)
		return g->judge(g, buf_text(&g->answer), why);
	if (err == SBX_STATE)
		return err;
	fault = err == SBX_IO	   ? strerror(errno)
	    : err == SBX_TRUNCATED ? "it closed the connection"
				   : "its answer makes no sense";
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "%s: no connection to the sandbox: %s", g->endpoint->text, fault);
}

void
greeting_free(struct greeting *greeting)
{
	if (greeting == NULL)
		return;
	buf_free(&greeting->request);
	buf_free(&greeting->answer);
	free(greeting);
}
