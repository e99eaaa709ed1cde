/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proxycmd/dial/pump.h"

#define MANY ((size_t)64 * 1024 * 1024)
#define CHUNK 50000

/* A relay in a thread: we are ssh on one side, the sandbox on the other. */
struct setting {
	int to_relay;	/* its stdin */
	int from_relay; /* its stdout */
	int peer;	/* the other end of its socket */
	int own[3];	/* its in, out, peer */
	pthread_t thread;
	enum sbx_err result;
};

static void *
run_relay(void *p)
{
	struct setting *s = p;

	s->result = pump_run(s->own[0], s->own[1], s->own[2], NULL);
	(void)close(s->own[0]);
	return NULL;
}

static void
begin(struct setting *s)
{
	int in[2], out[2], conn[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, conn), 0);
	*s = (struct setting){ .to_relay = in[1],
		.from_relay = out[0],
		.peer = conn[0],
		.own = { in[0], out[1], conn[1] } };
	assert_int_equal(pthread_create(&s->thread, NULL, run_relay, s), 0);
}

static void
end(struct setting *s, enum sbx_err want)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	assert_int_equal(s->result, want);
}

/* Bytes that tell their place, so that lost or swapped ones are seen. */
static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i ^ (i >> 8) ^ (i >> 16) * 7);
}

struct flow {
	int fd;
	size_t count;
	bool ok;
	bool half_close;
};

static void *
send_all(void *p)
{
	struct flow *f = p;
	uint8_t chunk[CHUNK];
	size_t sent = 0;

	while (sent < f->count) {
		size_t n = f->count - sent < CHUNK ? f->count - sent : CHUNK;
		ssize_t wrote;

		for (size_t i = 0; i < n; i++)
			chunk[i] = byte_at(sent + i);
		wrote = write(f->fd, chunk, n);
		if (wrote <= 0)
			return NULL;
		sent += (size_t)wrote;
	}
	f->ok = true;
	if (f->half_close)
		f->ok = shutdown(f->fd, SHUT_WR) == 0;
	else
		(void)close(f->fd);
	return NULL;
}

static void *
receive_all(void *p)
{
	struct flow *f = p;
	uint8_t chunk[CHUNK];
	size_t got = 0;
	ssize_t n;

	while ((n = read(f->fd, chunk, sizeof(chunk))) > 0) {
		for (size_t i = 0; i < (size_t)n; i++) {
			if (chunk[i] != byte_at(got + i))
				return NULL;
		}
		got += (size_t)n;
	}
	f->ok = n == 0 && got == f->count;
	return NULL;
}

static void
test_much_both_ways(void **state)
{
	struct setting s;
	struct flow up, up_end, down, down_end;
	struct flow *flows[] = { &up, &up_end, &down, &down_end };
	pthread_t threads[4];

	(void)state;
	begin(&s);
	up = (struct flow){ s.to_relay, MANY, false, false };
	up_end = (struct flow){ s.peer, MANY, false, false };
	down = (struct flow){ s.peer, MANY, false, true };
	down_end = (struct flow){ s.from_relay, MANY, false, false };
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL,
			i % 2 == 0 ? send_all : receive_all, flows[i]),
		    0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(flows[i]->ok);
	}
	end(&s, SBX_OK);
	(void)close(s.from_relay);
	(void)close(s.peer);
}

static void
expect(int fd, const char *text)
{
	char got[16] = "";

	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
}

static void
test_answer_after_the_end_of_input(void **state)
{
	struct setting s;

	(void)state;
	begin(&s);
	assert_int_equal(write(s.to_relay, "ask", 3), 3);
	(void)close(s.to_relay);
	expect(s.peer, "ask");
	expect(s.peer, "");
	assert_int_equal(write(s.peer, "answer", 6), 6);
	expect(s.from_relay, "answer");
	(void)close(s.peer);
	expect(s.from_relay, "");
	end(&s, SBX_OK);
	(void)close(s.from_relay);
}

static void
test_input_after_the_end_of_the_peer(void **state)
{
	struct setting s;

	(void)state;
	begin(&s);
	assert_int_equal(shutdown(s.peer, SHUT_WR), 0);
	expect(s.from_relay, "");
	assert_int_equal(write(s.to_relay, "more", 4), 4);
	expect(s.peer, "more");
	(void)close(s.to_relay);
	expect(s.peer, "");
	end(&s, SBX_OK);
	(void)close(s.from_relay);
	(void)close(s.peer);
}

/* ssh died: its ends of both pipes are closed, while nothing flows. */
static void
test_ends_with_ssh(void **state)
{
	struct setting s;

	(void)state;
	begin(&s);
	(void)close(s.from_relay);
	end(&s, SBX_OK);
	expect(s.peer, "");
	(void)close(s.to_relay);
	(void)close(s.peer);
}

static void
test_peer_is_gone(void **state)
{
	struct setting s;

	(void)state;
	begin(&s);
	(void)close(s.peer);
	expect(s.from_relay, "");
	/* Nobody takes it, which is how the relay notices. */
	assert_int_equal(write(s.to_relay, "x", 1), 1);
	end(&s, SBX_OK);
	(void)close(s.from_relay);
	(void)close(s.to_relay);
}

/*
 * A reader that does not read: the writer is stopped soon, and the relay
 * waits without using the processor.
 */
static void
test_slow_reader_stops_the_writer(void **state)
{
	struct setting s;
	struct pollfd full;
	struct timespec start, stop;
	static uint8_t block[65536];
	clockid_t clock;
	size_t sent = 0;
	ssize_t n;

	(void)state;
	begin(&s);
	full = (struct pollfd){ .fd = s.peer, .events = POLLOUT };
	while (poll(&full, 1, 200) == 1) {
		n = send(s.peer, block, sizeof(block), MSG_DONTWAIT);
		assert_true(n > 0);
		sent += (size_t)n;
		assert_true(sent < 8 * 1024 * 1024);
	}
	/* Both ends of the socket are shut now, which poll always reports. */
	assert_int_equal(shutdown(s.peer, SHUT_RDWR), 0);
	assert_int_equal(pthread_getcpuclockid(s.thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &start), 0);
	assert_int_equal(poll(NULL, 0, 200), 0);
	assert_int_equal(clock_gettime(clock, &stop), 0);
	assert_true((stop.tv_sec - start.tv_sec) * 1000000000 + stop.tv_nsec -
		start.tv_nsec <
	    50000000);
	while ((n = read(s.from_relay, block, sizeof(block))) > 0)
		sent -= (size_t)n;
	assert_int_equal(sent, 0);
	(void)close(s.to_relay);
	end(&s, SBX_OK);
	(void)close(s.from_relay);
	(void)close(s.peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_much_both_ways),
		cmocka_unit_test(test_answer_after_the_end_of_input),
		cmocka_unit_test(test_input_after_the_end_of_the_peer),
		cmocka_unit_test(test_ends_with_ssh),
		cmocka_unit_test(test_peer_is_gone),
		cmocka_unit_test(test_slow_reader_stops_the_writer),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
