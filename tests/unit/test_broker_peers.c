#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "broker/peers.h"

#define LIMIT 32
#define OWNER 500
#define ALICE 1000

static const struct peers_limits limits = { LIMIT, OWNER, 60 };

static int
set_up(void **state)
{
	struct peers *peers;

	if (peers_new(&limits, &peers) != SBX_OK)
		return -1;
	*state = peers;
	return 0;
}

static int
tear_down(void **state)
{
	peers_free(*state);
	return 0;
}

/* How many connections this user gets, at most max. */
static size_t
fill(struct peers *peers, uid_t uid, struct peer **ret, size_t max)
{
	size_t count = 0;

	while (count < max && (ret[count] = peer_add(peers, -1, uid)) != NULL)
		count++;
	return count;
}

static void
empty(struct peers *peers, struct peer **peer, size_t count)
{
	for (size_t i = 0; i < count; i++)
		peer_remove(peers, peer[i]);
}

static void
test_a_share(void **state)
{
	struct peer *alice[LIMIT], *again;

	assert_int_equal(fill(*state, ALICE, alice, LIMIT), LIMIT / 4);
	peer_remove(*state, alice[3]);
	again = peer_add(*state, -1, ALICE);
	assert_non_null(again);
	alice[3] = again;
	assert_null(peer_add(*state, -1, ALICE));
	empty(*state, alice, LIMIT / 4);
}

static void
test_room_is_kept(void **state)
{
	struct peer *peer[2 * LIMIT];
	size_t count = 0;

	for (uid_t uid = ALICE; uid < ALICE + 8; uid++)
		count += fill(*state, uid, peer + count, LIMIT);
	assert_int_equal(count, LIMIT - LIMIT / 8);
	count += fill(*state, OWNER, peer + count, 2);
	count += fill(*state, 0, peer + count, 2);
	assert_int_equal(count, LIMIT - LIMIT / 8 + 4);
	empty(*state, peer, count);
}

static void
test_calls(void **state)
{
	struct peer *alice[LIMIT], *root = peer_add(*state, -1, 0);
	size_t count = fill(*state, ALICE, alice, LIMIT), calls = 0;

	while (calls < count && peer_begin_call(*state, alice[calls]))
		calls++;
	assert_int_equal(calls, LIMIT * 3 / 16);
	assert_true(peer_begin_call(*state, root));
	peer_end_call(*state, alice[0]);
	assert_true(peer_begin_call(*state, alice[calls]));
	empty(*state, alice, count);
	peer_remove(*state, root);
}

/* Bytes that come in change nothing about the deadline. */
static void
test_the_slow_are_ended(void **state)
{
	static const struct peers_limits hasty = { LIMIT, OWNER, 0 };
	struct peers *peers;
	struct peer *slow, *calling;
	int slow_fds[2], calling_fds[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, slow_fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, calling_fds), 0);
	assert_int_equal(peers_new(&hasty, &peers), SBX_OK);
	calling = peer_add(peers, calling_fds[0], ALICE);
	assert_true(peer_begin_call(peers, calling));
	slow = peer_add(peers, slow_fds[0], ALICE);
	/* Returns when it was ended, which is what is tested. */
	assert_int_equal(read(slow_fds[1], &byte, 1), 0);
	assert_int_equal(recv(calling_fds[1], &byte, 1, MSG_DONTWAIT), -1);
	peer_end_call(peers, calling);
	assert_int_equal(read(calling_fds[1], &byte, 1), 0);
	peer_remove(peers, slow);
	peer_remove(peers, calling);
	peers_free(peers);
	for (int i = 0; i < 2; i++) {
		(void)close(slow_fds[i]);
		(void)close(calling_fds[i]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_room_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
		cmocka_unit_test(test_the_slow_are_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
