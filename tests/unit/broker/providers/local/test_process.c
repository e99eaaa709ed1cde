/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "broker/providers/local/process.h"

static const struct row {
	const char *name;
	const char *text;
	enum sbx_err want;
} rows[] = {
	{ "a line", "12 345\n", SBX_OK },
	{ "nothing", "", SBX_NOT_FOUND },
	{ "no start time", "12\n", SBX_BAD_VALUE },
	{ "process 0", "0 345\n", SBX_BAD_VALUE },
	{ "all processes", "-1 345\n", SBX_BAD_VALUE },
	{ "pid beyond an int", "4294967297 345\n", SBX_BAD_VALUE },
	{ "no number", "12 x\n", SBX_BAD_VALUE },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct view cursor = VIEW_STR(row->text);
	struct process process = { 0, 0 };

	assert_int_equal(process_parse(&cursor, &process), row->want);
	assert_int_equal(process.pid, row->want == SBX_OK ? 12 : 0);
}

static pid_t
fork_pausing(bool stubborn)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGTERM, stubborn ? SIG_IGN : SIG_DFL);
		if (write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static int
signal_that_ended(bool stubborn, int grace_ms)
{
	struct process process;
	struct sbx_why why;
	pid_t pid = fork_pausing(stubborn);
	int status;

	assert_int_equal(process_identify(pid, &process), SBX_OK);
	assert_true(process_alive(&process));
	assert_int_equal(process_end(&process, grace_ms, &why), SBX_OK);
	/* Dead, though nobody has collected it yet. */
	assert_false(process_alive(&process));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(process_wait(&process, 0));
	assert_int_equal(process_end(&process, 0, &why), SBX_OK);
	return WTERMSIG(status);
}

static void
test_polite(void **state)
{
	(void)state;
	assert_int_equal(signal_that_ended(false, 10000), SIGTERM);
}

static void
test_stubborn(void **state)
{
	(void)state;
	assert_int_equal(signal_that_ended(true, 10), SIGKILL);
}

static void
test_at_once(void **state)
{
	(void)state;
	assert_int_equal(signal_that_ended(false, 0), SIGKILL);
}

/* A pid that another process has now is left alone. */
static void
test_other_start_time(void **state)
{
	struct process self, earlier;

	(void)state;
	assert_int_equal(process_identify(getpid(), &self), SBX_OK);
	earlier = self;
	earlier.start--;
	assert_false(process_alive(&earlier));
	assert_true(process_wait(&earlier, 0));
	assert_int_equal(process_end(&earlier, 0, NULL), SBX_OK);
	assert_true(process_alive(&self));
}

static void
test_round_trip(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(100);
	struct process self, read;
	struct view cursor;

	(void)state;
	assert_int_equal(process_identify(getpid(), &self), SBX_OK);
	process_put(&self, &text);
	cursor = buf_view(&text);
	assert_int_equal(process_parse(&cursor, &read), SBX_OK);
	assert_int_equal(read.pid, self.pid);
	assert_int_equal(read.start, self.start);
	assert_int_equal(process_parse(&cursor, &read), SBX_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_polite),
		cmocka_unit_test(test_stubborn),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_other_start_time),
		cmocka_unit_test(test_round_trip),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
