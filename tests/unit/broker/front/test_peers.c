/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "broker/front/peers.h"

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

/* Each has a descriptor of its own, as in life; none of these is open. */
static struct peer *
add(struct peers *peers, uid_t uid)
{
	static int fd = 1000000;

	return peer_add(peers, fd++, uid);
}

/* How many connections this user gets, at most max. */
static size_t
fill(struct peers *peers, uid_t uid, struct peer **ret, size_t max)
{
	size_t count = 0;

	while (count < max && (ret[count] = add(peers, uid)) != NULL)
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
	again = add(*state, ALICE);
	assert_non_null(again);
	alice[3] = again;
	assert_null(add(*state, ALICE));
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
test_an_end(void **state)
{
	struct peer *peer[2 * LIMIT];
	size_t count = fill(*state, 0, peer, 2 * LIMIT);

	assert_int_equal(count, LIMIT);
	assert_null(add(*state, OWNER));
	assert_null(add(*state, ALICE));
	empty(*state, peer, count);
}

/* Nobody waits for the end of one that was lost on the way in. */
static void
test_lost_ones(void **state)
{
	struct peer *peer, *others[LIMIT];

	for (int i = 0; i < 2 * LIMIT; i++)
		assert_non_null(peer_add(*state, 1000, ALICE));
	peer = peer_arrive(*state, 1000);
	assert_non_null(peer);
	assert_null(peer_arrive(*state, 1000));
	assert_null(peer_arrive(*state, 1001));
	assert_non_null(peer_add(*state, 1000, ALICE));
	assert_int_equal(fill(*state, ALICE, others, LIMIT), LIMIT / 4 - 2);
	peer_remove(*state, peer);
	assert_int_equal(fill(*state, ALICE, others, LIMIT), 1);
}

static void
test_calls(void **state)
{
	struct peer *alice[LIMIT], *root = add(*state, 0);
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
struct answer {
	struct peers *peers;
	struct peer *peer;
};

static void *
give_answers(void *context)
{
	struct answer *a = context;

	peer_set_waiting(a[0].peers, a[0].peer, false);
	peer_remove(a[1].peers, a[1].peer);
	return NULL;
}

/* Whoever has come in waits, until it is answered or gone. */
static void
test_await(void **state)
{
	struct answer a[] = { { *state, add(*state, ALICE) },
		{ *state, add(*state, ALICE) } };
	struct timespec before, after;
	pthread_t thread;

	peers_await(*state, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(pthread_create(&thread, NULL, give_answers, a), 0);
	peers_await(*state, 60);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 30);
	/* Nobody: at once. */
	peers_await(*state, 60);
	peer_set_waiting(*state, a[0].peer, true);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	peers_await(*state, 1);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 1, 30);
}

/* How many streams begin on as many connections as there may be. */
static size_t
stream(struct peers *peers, uid_t uid, struct peer **ret, size_t *ret_count)
{
	size_t count = fill(peers, uid, ret, LIMIT), begun = 0;

	for (size_t i = 0; i < count; i++)
		begun += peer_begin_stream(peers, ret[i]);
	*ret_count = count;
	return begun;
}

static void
test_streams(void **state)
{
	struct peer *alice[LIMIT], *owner[LIMIT];
	size_t alices, owners;

	assert_int_equal(stream(*state, ALICE, alice, &alices), LIMIT / 8);
	/* Calls have room beside them, and one that ended makes room. */
	assert_true(peer_begin_call(*state, alice[alices - 1]));
	assert_false(peer_begin_stream(*state, alice[0]));
	peer_end_stream(*state, alice[LIMIT / 8 - 1]);
	assert_true(peer_begin_stream(*state, alice[LIMIT / 8]));
	assert_int_equal(stream(*state, OWNER, owner, &owners), LIMIT / 2);
	empty(*state, alice, alices);
	empty(*state, owner, owners);
}

static void
test_the_slow_are_ended(void **state)
{
	static const struct peers_limits hasty = { LIMIT, OWNER, 0 };
	struct peers *peers;
	struct peer *coming, *calling, *streaming;
	int fds[4][2];
	char byte;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
	assert_int_equal(peers_new(&hasty, &peers), SBX_OK);
	coming = peer_add(peers, fds[0][0], ALICE);
	assert_non_null(peer_add(peers, fds[1][0], ALICE));
	assert_non_null(peer_arrive(peers, fds[1][0]));
	assert_non_null(peer_add(peers, fds[2][0], ALICE));
	calling = peer_arrive(peers, fds[2][0]);
	assert_non_null(peer_add(peers, fds[3][0], ALICE));
	streaming = peer_arrive(peers, fds[3][0]);
	assert_true(peer_begin_stream(peers, streaming));
	assert_true(peer_begin_call(peers, calling));
	while (recv(fds[1][1], &byte, 1, MSG_DONTWAIT) != 0)
		peers_end_slow(peers);
	assert_int_equal(recv(fds[0][1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(fds[2][1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(fds[3][1], &byte, 1, MSG_DONTWAIT), -1);
	peer_end_call(peers, calling);
	peer_end_stream(peers, streaming);
	assert_ptr_equal(peer_arrive(peers, fds[0][0]), coming);
	for (int i = 0; i < 4; i += i == 0 ? 2 : 1) {
		while (recv(fds[i][1], &byte, 1, MSG_DONTWAIT) != 0)
			peers_end_slow(peers);
	}
	peers_free(peers);
	for (int i = 0; i < 8; i++)
		(void)close(fds[i / 2][i % 2]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_room_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_lost_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_streams, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_await, set_up, tear_down),
		cmocka_unit_test(test_the_slow_are_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
