/* SPDX-License-Identifier: ISC */
/*
 * What speaks before an SSH server does: a VMM's socket, an HTTP proxy, and
 * whoever agrees to a WebSocket.  A yes is one, and of what comes behind it
 * not a byte is taken.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "net/ws.h"
#include "proxycmd/dial/greeting.h"
#include "tests/fuzz/fuzz.h"

#define SIZE_MAX_FUZZED 32768 /* what a socket holds without a reader */

/* Of RFC 6455, with what it has to be answered. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define KEY_ANSWER "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct greeter {
	const char *text;
	greeting_maker *make;
	struct endpoint endpoint;
	struct greeting greeting; /* made once: it reads the configuration */
} greeters[] = {
	{ .text = "unix-mux:/vm.sock#22", .make = greeting_mux },
	{ .text = "connect://proxy:3128/box:22", .make = greeting_proxy },
};

static void
prepare(struct greeter *g)
{
	static const struct paths paths = { .config = "/nonexistent" };
	static const struct dial_setup setup = { .paths = &paths };

	if (g->greeting.judge != NULL)
		return;
	FUZZ_ASSERT(endpoint_parse(g->text, &g->endpoint, NULL) == SBX_OK);
	g->greeting.endpoint = &g->endpoint;
	g->greeting.request = BUF_INIT(GREETING_MAX);
	FUZZ_ASSERT(
	    g->make(&g->endpoint, &setup, &g->greeting, NULL) == SBX_OK);
}

/* Up to its end, the answer is what was said; the rest is still there. */
static void
check_yes(const struct greeting *g, struct view said, int fd)
{
	size_t len = strlen(g->end), rest = said.len - g->answer.len;
	uint8_t *left = malloc(rest + 1);

	FUZZ_ASSERT(left != NULL);
	FUZZ_ASSERT(g->answer.len >= len && g->answer.len <= g->max);
	FUZZ_ASSERT(memcmp(g->answer.p, said.p, g->answer.len) == 0);
	FUZZ_ASSERT(memmem(said.p, said.len, g->end, len) ==
	    said.p + g->answer.len - len);
	FUZZ_ASSERT(recv(fd, left, rest + 1, MSG_WAITALL) == (ssize_t)rest);
	FUZZ_ASSERT(memcmp(left, said.p + g->answer.len, rest) == 0);
	free(left);
}

static void
check_words(const struct greeter *g, const char *answer)
{
	if (g->make == greeting_mux)
		FUZZ_ASSERT(strncmp(answer, "OK ", 3) == 0 &&
		    strspn(answer + 3, "0123456789") == strlen(answer) - 4);
	else
		FUZZ_ASSERT(strncmp(answer, "HTTP/1.", 7) == 0 &&
		    strncmp(answer + 8, " 2", 2) == 0);
}

static void
greet(struct greeter *g, struct view said)
{
	struct greeting greeting;
	struct sbx_why why = { "" };
	enum sbx_err err;
	short events;
	int pair[2];

	prepare(g);
	greeting = g->greeting;
	greeting.answer = BUF_INIT(GREETING_MAX);
	FUZZ_ASSERT(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	FUZZ_ASSERT(send(pair[1], said.p, said.len, 0) == (ssize_t)said.len);
	FUZZ_ASSERT(shutdown(pair[1], SHUT_WR) == 0);
	err = greeting_step(&greeting, pair[0], &events, &why);
	FUZZ_ASSERT(err != SBX_STATE); /* all of it was there */
	if (err == SBX_OK) {
		check_words(g, buf_text(&greeting.answer));
		check_yes(&greeting, said, pair[0]);
	} else
		FUZZ_ASSERT(why.text[0] != '\0');
	buf_free(&greeting.answer);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void
agree(struct view said)
{
	cleanup_buf struct buf text = BUF_INIT(SIZE_MAX_FUZZED + 1);
	struct sbx_why why = { "" };

	buf_put_view(&text, said);
	if (ws_judge_response(buf_text(&text), KEY, "h", &why) != SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return;
	}
	FUZZ_ASSERT(strncmp(buf_text(&text), "HTTP/1.1 101", 12) == 0);
	FUZZ_ASSERT(strstr(buf_text(&text), KEY_ANSWER) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct view said = VIEW(bytes, size);

	if (size > SIZE_MAX_FUZZED)
		return 0;
	for (size_t i = 0; i < sizeof(greeters) / sizeof(greeters[0]); i++)
		greet(&greeters[i], said);
	agree(said);
	return 0;
}
