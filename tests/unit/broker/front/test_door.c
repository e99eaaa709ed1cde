/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/front/door.h"
#include "tests/unit/lingering.h"

#define LIMIT 8
#define GENEROUS 30 /* seconds for what takes a moment */

static const struct broker_settings settings = { .own_uid = 0 };

struct premises {
	int listen_fd; /* the door's */
	struct peers *peers;
	struct persons *persons;
	struct discard *discard;
	struct door *door;
	int entered[2]; /* descriptors that came in, in the order they did */
	struct sockaddr_un address;
	socklen_t len;
};

/* In the door's thread: nothing is asserted here. */
static void
enter(void *context, int fd)
{
	struct premises *p = context;

	if (write(p->entered[1], &fd, sizeof(fd)) != sizeof(fd))
		abort();
}

/* Whoever runs the tests owns the premises: others have less room. */
static void
open_premises(struct premises *p, unsigned patience)
{
	const struct peers_limits limits = { LIMIT, getuid(), patience };
	struct door_setup setup = { .entry = enter, .context = p };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memset(p, 0, sizeof(*p));
	p->address.sun_family = AF_UNIX;
	p->len = sizeof(p->address);
	assert_int_equal(pipe(p->entered), 0);
	/* The kernel chooses an abstract name. */
	assert_int_equal(bind(fd, (struct sockaddr *)&p->address,
			     sizeof(p->address.sun_family)),
	    0);
	assert_int_equal(
	    getsockname(fd, (struct sockaddr *)&p->address, &p->len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(peers_new(&limits, &p->peers), SBX_OK);
	assert_int_equal(
	    persons_new(&settings, "/nonexistent", &p->persons), SBX_OK);
	assert_int_equal(discard_new(&p->discard), SBX_OK);
	setup.listen_fd = p->listen_fd = fd;
	setup.peers = p->peers;
	setup.persons = p->persons;
	setup.discard = p->discard;
	assert_int_equal(door_open(&setup, &p->door), SBX_OK);
}

static void
close_premises(struct premises *p)
{
	door_close(p->door);
	discard_free(p->discard);
	persons_free(p->persons);
	peers_free(p->peers);
	(void)close(p->entered[0]);
	(void)close(p->entered[1]);
}

/* Whatever waits for it ends, so that a door that hangs is a failure. */
static int
new_guest(void)
{
	const struct timeval wait = { GENEROUS, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	return fd;
}

static int
ring(const struct premises *p)
{
	int fd = new_guest();

	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&p->address, p->len), 0);
	return fd;
}

static int
next_entered(const struct premises *p)
{
	struct pollfd wait = { p->entered[0], POLLIN, 0 };
	int fd;

	assert_int_equal(poll(&wait, 1, GENEROUS * 1000), 1);
	assert_int_equal(read(p->entered[0], &fd, sizeof(fd)), sizeof(fd));
	return fd;
}

static void
assert_sent_away(int fd)
{
	static const char status[] = "HTTP/1.1 429 ";
	char text[128] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_memory_equal(text, status, strlen(status));
	/* Closed with something unread it is a reset, not an end. */
	assert_true(
	    recv(fd, text, sizeof(text), 0) == 0 || errno == ECONNRESET);
	(void)close(fd);
}

/* Until there is no more room. */
static void
fill(const struct premises *p, int guests[LIMIT], int ours[LIMIT])
{
	for (int i = 0; i < LIMIT; i++) {
		guests[i] = ring(p);
		ours[i] = next_entered(p);
		assert_true((fcntl(ours[i], F_GETFD) & FD_CLOEXEC) != 0);
		assert_true((fcntl(ours[i], F_GETFL) & O_NONBLOCK) != 0);
	}
}

static void
close_both(const int guests[LIMIT], const int ours[LIMIT])
{
	for (int i = 0; i < LIMIT; i++) {
		(void)close(guests[i]);
		(void)close(ours[i]);
	}
}

static bool
is_hung_up(int fd, int milliseconds)
{
	struct pollfd p = { fd, 0, 0 };

	return poll(&p, 1, milliseconds) == 1 && (p.revents & POLLHUP) != 0;
}

static int
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

static void
test_room_and_none(void **state)
{
	struct premises p;
	struct peer *first;
	int guests[LIMIT], ours[LIMIT], before, fd;

	(void)state;
	open_premises(&p, 60);
	fill(&p, guests, ours);
	before = count_descriptors();
	/* As often as anyone likes: hardly any of it is kept. */
	for (int i = 0; i < 50 * LIMIT; i++)
		assert_sent_away(ring(&p));
	assert_in_range(count_descriptors(), before, before + 64);
	/* What somebody says meanwhile is no reason not to listen. */
	fd = ring(&p);
	while (send(fd, "GET", 3, MSG_NOSIGNAL) != 3) {
		(void)close(fd);
		fd = ring(&p);
	}
	/* In a moment it is closed, too. */
	assert_true(is_hung_up(fd, GENEROUS * 1000));
	(void)close(fd);
	first = peer_arrive(p.peers, ours[0]);
	assert_non_null(first);
	peer_remove(p.peers, first);
	(void)close(guests[0]);
	(void)close(ours[0]);
	guests[0] = ring(&p);
	ours[0] = next_entered(&p);
	close_premises(&p);
	close_both(guests, ours);
}

static void
test_the_slow_are_ended(void **state)
{
	struct premises p;
	struct peer *peer;
	char byte;
	int fd, ours;

	(void)state;
	open_premises(&p, 0);
	fd = ring(&p);
	ours = next_entered(&p);
	peer = peer_arrive(p.peers, ours);
	assert_non_null(peer);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	peer_remove(p.peers, peer);
	close_premises(&p);
	(void)close(fd);
	(void)close(ours);
}

/* Nobody is lost, and the door goes on. */
static void
test_no_descriptor_left(void **state)
{
	struct rlimit before, few;
	struct pollfd wait = { -1, POLLIN, 0 };
	struct premises p;
	int fd = new_guest();
	char byte;

	(void)state;
	open_premises(&p, 60);
	wait.fd = p.entered[0];
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&p.address, p.len), 0);
	/* Not told that it has tried, but it has the time to do it. */
	assert_int_equal(poll(&wait, 1, 500), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	(void)close(next_entered(&p));
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close_premises(&p);
	(void)close(fd);
}

/* The last that knows of it is the socket of somebody who is sent away. */
static void
test_descriptors_under_way(void **state)
{
	struct premises p;
	int guests[LIMIT], ours[LIMIT], guest, lingering, peer;

	(void)state;
	open_premises(&p, 60);
	fill(&p, guests, ours);
	lingering = lingering_make(&peer);
	guest = ring(&p);
	while (!lingering_pass(lingering, guest)) {
		(void)close(guest);
		guest = ring(&p);
	}
	(void)close(lingering);
	assert_sent_away(guest);
	/* Those of the first flush are closed by the second. */
	discard_flush(p.discard);
	discard_flush(p.discard);
	assert_sent_away(ring(&p));
	close_premises(&p);
	close_both(guests, ours);
	(void)close(peer);
}

/* A peer has the time to read what it was sent. */
static void
test_kept_for_a_while(void **state)
{
	struct discard *discard;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(discard_new(&discard), SBX_OK);
	discard_put(discard, fds[0]);
	discard_flush(discard);
	assert_false(is_hung_up(fds[1], 0));
	discard_flush(discard);
	assert_true(is_hung_up(fds[1], GENEROUS * 1000));
	discard_free(discard);
	(void)close(fds[1]);
}

/* Whoever knocks then is let in by the next who has the socket, if any. */
static void
test_closed(void **state)
{
	struct premises p;
	int fd = new_guest(), other, in;

	(void)state;
	open_premises(&p, 60);
	other = fcntl(p.listen_fd, F_DUPFD_CLOEXEC, 0);
	assert_true(other >= 0);
	close_premises(&p);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&p.address, p.len), 0);
	in = accept(other, NULL, NULL);
	assert_true(in >= 0);
	(void)close(in);
	(void)close(fd);
	(void)close(other);
	door_close(NULL);
	discard_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room_and_none),
		cmocka_unit_test(test_the_slow_are_ended),
		cmocka_unit_test(test_no_descriptor_left),
		cmocka_unit_test(test_descriptors_under_way),
		cmocka_unit_test(test_kept_for_a_while),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
