#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/door.h"

#define LIMIT 8

struct premises {
	struct peers *peers;
	struct door *door;
	int entered[2]; /* descriptors that came in, in the order they did */
	struct sockaddr_un address;
	socklen_t len;
};

static void
enter(void *context, int fd, const struct sockaddr *address, socklen_t len)
{
	struct premises *p = context;

	assert_int_equal(address->sa_family, AF_UNIX);
	assert_in_range(len, sizeof(address->sa_family), sizeof(p->address));
	assert_int_equal(write(p->entered[1], &fd, sizeof(fd)), sizeof(fd));
}

/* Whoever runs the tests owns the premises: others have less room. */
static void
open_premises(struct premises *p, unsigned patience)
{
	const struct peers_limits limits = { LIMIT, getuid(), patience };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

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
	assert_int_equal(door_open(fd, p->peers, enter, p, &p->door), SBX_OK);
}

static void
close_premises(struct premises *p)
{
	door_close(p->door);
	peers_free(p->peers);
	(void)close(p->entered[0]);
	(void)close(p->entered[1]);
}

static int
ring(const struct premises *p)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&p->address, p->len), 0);
	return fd;
}

static int
next_entered(const struct premises *p)
{
	int fd;

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
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	(void)close(fd);
}

static void
test_room_and_none(void **state)
{
	struct peer *first = NULL;
	struct premises p;
	int fds[LIMIT], ours[LIMIT], fd;

	(void)state;
	open_premises(&p, 60);
	for (int i = 0; i < LIMIT; i++) {
		fds[i] = ring(&p);
		ours[i] = next_entered(&p);
		assert_true((fcntl(ours[i], F_GETFD) & FD_CLOEXEC) != 0);
		if (i == 0)
			first = peer_arrive(p.peers, ours[i]);
	}
	/* As often as anyone likes: none of it is kept. */
	for (int i = 0; i < 10 * LIMIT; i++)
		assert_sent_away(ring(&p));
	assert_non_null(first);
	peer_remove(p.peers, first);
	(void)close(ours[0]);
	fd = ring(&p);
	ours[0] = next_entered(&p);
	close_premises(&p);
	for (int i = 0; i < LIMIT; i++) {
		(void)close(fds[i]);
		(void)close(ours[i]);
	}
	(void)close(fd);
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

/* Whoever comes then waits, and is not lost. */
static void
test_no_descriptor_left(void **state)
{
	struct rlimit before, none;
	struct premises p;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	(void)state;
	open_premises(&p, 60);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&p.address, p.len), 0);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	(void)close(next_entered(&p));
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close_premises(&p);
	(void)close(fd);
}

static void
test_closed(void **state)
{
	struct premises p;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	open_premises(&p, 60);
	close_premises(&p);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&p.address, p.len), -1);
	(void)close(fd);
	door_close(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room_and_none),
		cmocka_unit_test(test_the_slow_are_ended),
		cmocka_unit_test(test_no_descriptor_left),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
