/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "proxycmd/dial/deadline.h"
#include "proxycmd/resolve/caller.h"

struct row {
	const char *name;
	struct view words;
	uint64_t want;
};

#define ROW(name, words, want)                                          \
	{                                                               \
		name, { (const uint8_t *)(words), sizeof(words) }, want \
	}

static const struct row rows[] = {
	ROW("none", "ssh\0run-1.sandbox", 0),
	ROW("joined", "ssh\0-oConnectTimeout=5\0run-1.sandbox", 5),
	ROW("apart", "ssh\0-o\0ConnectTimeout=5\0run-1.sandbox", 5),
	ROW("a blank", "ssh\0-o\0ConnectTimeout 5\0run-1.sandbox", 5),
	ROW("blanks and =", "ssh\0-o\0connecttimeout = 5\0x", 5),
	ROW("quotes", "ssh\0-o\0ConnectTimeout=\"5\"\0x", 5),
	ROW("a duration", "ssh\0-oConnectTimeout=2m\0x", 120),
	ROW("among others", "ssh\0-vTo\0ConnectTimeout=7\0x", 7),
	ROW("behind others", "ssh\0-p\0-o\0-l\0me\0-oConnectTimeout=7\0x", 7),
	ROW("behind the host", "ssh\0x\0-oConnectTimeout=7", 7),
	ROW("in the command", "ssh\0x\0ssh\0-oConnectTimeout=7\0y", 0),
	ROW("behind --", "ssh\0--\0x\0-oConnectTimeout=7", 0),
	ROW("the word of another", "ssh\0-i\0-oConnectTimeout=7\0x", 0),
	ROW("the first counts",
	    "ssh\0-oConnectTimeout=3\0-oConnectTimeout=7\0x", 3),
	ROW("another option", "ssh\0-oConnectTimeoutX=3\0x", 0),
	ROW("none at all", "ssh\0-oConnectTimeout=none\0x", 0),
	ROW("zero", "ssh\0-oConnectTimeout=0\0x", 0),
	ROW("no number", "ssh\0-oConnectTimeout=\0x", 0),
	ROW("cut", "ssh\0-o", 0),
	ROW("a number without end",
	    "ssh\0-oConnectTimeout=55555555555555555555555\0x", 0),
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct caller caller = { 0 };

	caller_read(row->words, &caller);
	assert_int_equal(caller.connect_timeout, row->want);
}

/* Without the NUL at the end, and nothing at all. */
static void
test_short(void **state)
{
	struct caller caller = { 0 };

	(void)state;
	caller_read(VIEW_STR("ssh"), &caller);
	caller_read(VIEW("", 0), &caller);
	assert_int_equal(caller.connect_timeout, 0);
	caller_read(VIEW("ssh\0-oConnectTimeout=5", 23), &caller);
	assert_int_equal(caller.connect_timeout, 5);
	assert_string_equal(caller.host, "");
}

static void
test_what_it_reads(void **state)
{
	static const char words[] = "ssh\0-vF\0a b\0me@dev\0-p1\0ls\0-Fx";
	struct caller caller = { 0 };

	(void)state;
	caller_read(VIEW(words, sizeof(words)), &caller);
	assert_string_equal(caller.config, "a b");
	assert_string_equal(caller.host, "me@dev");
}

static void
test_no_ssh(void **state)
{
	struct caller caller;
	uint64_t now = deadline_now();

	(void)state;
	caller_find(getpid(), &caller);
	assert_false(caller.is_ssh);
	assert_true(caller.began >= now && caller.began < now + 10000);
	assert_int_equal(caller.connect_timeout, 0);
	caller_find(0, &caller);
	assert_false(caller.is_ssh);
}

/* A process of that name is one, whatever else it is. */
static void
test_ssh(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct caller caller;
		uint64_t now = deadline_now();

		if (prctl(PR_SET_NAME, "ssh") != 0)
			_exit(2);
		pid = fork();
		if (pid != 0) {
			(void)waitpid(pid, &status, 0);
			_exit(WEXITSTATUS(status));
		}
		if (prctl(PR_SET_NAME, "a (b) c") != 0)
			_exit(2);
		caller_find(getpid(), &caller);
		_exit(caller.is_ssh && caller.began <= now + 1000 &&
			    caller.began + 10000 > now
			? 0
			: 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + 4] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_what_it_reads),
		cmocka_unit_test(test_no_ssh),
		cmocka_unit_test(test_ssh),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
