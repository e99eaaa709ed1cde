/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "broker/life/known.h"

static struct known *known;
static int ends[2]; /* what is told holds until the other end is closed */

static const struct provider_access told = { .user = "sandbox",
	.host_key_count = 1,
	.host_key = { "ssh-ed25519 AAAA" },
	.endpoint_count = 2,
	.endpoint = { "unix:/run/a.sock", "tcp:10.0.0.1:22" } };

static struct sandbox
a_sandbox(uint64_t incarnation)
{
	return (struct sandbox){ .id = "run-1",
		.state = SANDBOX_RUNNING,
		.incarnation = incarnation };
}

static int
make(void **state)
{
	(void)state;
	return pipe(ends) == 0 && known_new(8, &known) == SBX_OK ? 0 : -1;
}

static int
unmake(void **state)
{
	(void)state;
	known_free(known);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static bool
is_known(const struct sandbox *s)
{
	struct provider_access got = { .user = "" };

	if (!known_recall(known, s, &got))
		return false;
	assert_memory_equal(&got, &told, sizeof(got));
	return true;
}

static void
test_until_it_ends(void **state)
{
	struct sandbox s = a_sandbox(5);
	struct sandbox other = a_sandbox(6), stopped = a_sandbox(5);

	(void)state;
	stopped.state = SANDBOX_STOPPED;
	assert_false(is_known(&s));
	known_keep(known, &s, &told, dup(ends[0]));
	assert_true(is_known(&s));
	assert_true(is_known(&s));
	assert_false(is_known(&other));
	assert_false(is_known(&stopped));
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_false(is_known(&s));
	/* Not any more, whatever becomes of the descriptor. */
	assert_int_equal(read(ends[0], (char[1]){ 0 }, 1), 1);
	assert_false(is_known(&s));
}

/* What cannot be watched, or told from another, or does not run. */
static void
test_what_is_not_kept(void **state)
{
	struct sandbox s = a_sandbox(5), old = a_sandbox(0);
	struct sandbox stopped = a_sandbox(7);
	int fd;

	(void)state;
	known_keep(known, &s, &told, -1);
	assert_false(is_known(&s));
	fd = dup(ends[0]);
	known_keep(known, &old, &told, fd);
	assert_false(is_known(&old));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	stopped.state = SANDBOX_STOPPED;
	known_keep(known, &stopped, &told, dup(ends[0]));
	stopped.state = SANDBOX_RUNNING;
	assert_false(is_known(&stopped));
}

/* A descriptor each: the limit holds, and the last that came is known. */
static void
test_limit(void **state)
{
	int before = dup(ends[0]), after;
	unsigned count = 0;

	(void)state;
	(void)close(before);
	for (uint64_t i = 1; i <= 100; i++) {
		struct sandbox s = a_sandbox(i);

		known_keep(known, &s, &told, dup(ends[0]));
		assert_true(is_known(&s));
	}
	for (uint64_t i = 1; i <= 100; i++) {
		struct sandbox s = a_sandbox(i);

		count += is_known(&s);
	}
	assert_int_equal(count, 8);
	known_free(known);
	after = dup(ends[0]);
	assert_int_equal(after, before);
	(void)close(after);
	assert_int_equal(known_new(0, &known), SBX_OK);
	known_keep(known,
	    &(struct sandbox){ .state = SANDBOX_RUNNING, .incarnation = 1 },
	    &told, dup(ends[0]));
	after = dup(ends[0]);
	assert_int_equal(after, before);
	(void)close(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_until_it_ends),
		TEST(test_what_is_not_kept),
		TEST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
