/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/spawn.h"

static enum sbx_err
run_shell(const char *script, int keep, unsigned timeout, int *ret_status,
    struct buf *ret)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	static const char *const environment[] = { "MINE=1", NULL };
	struct spawn spawn = { argv, keep, true, environment, timeout };

	return spawn_run(&spawn, ret_status, ret, NULL);
}

struct row {
	const char *name;
	const char *script;
	int keep;
	int exit;
	const char *want;
};

static const struct row rows[] = {
	{ "standard output", "echo out; echo err >&2", STDOUT_FILENO, 0,
	    "out\n" },
	{ "standard error", "echo out; echo err >&2", STDERR_FILENO, 0,
	    "err\n" },
	{ "a status", "exit 3", STDOUT_FILENO, 3, "" },
	{ "nothing to read", "cat; echo end", STDOUT_FILENO, 0, "end\n" },
	{ "more than the cap", "echo 1234567890; echo 1234567890",
	    STDOUT_FILENO, 0, "1234567890\n12345" },
	{ "no other descriptor", "[ -e /proc/self/fd/7 ] || echo none",
	    STDOUT_FILENO, 0, "none\n" },
	{ "the environment that it was given", "echo \"[$SECRET$MINE]\"",
	    STDOUT_FILENO, 0, "[1]\n" },
	{ "SIGPIPE as usual", "kill -PIPE $$; echo ignored", STDOUT_FILENO, -1,
	    "" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf text = BUF_INIT(16);
	int status = 0;

	assert_int_equal(
	    run_shell(row->script, row->keep, 30, &status, &text), SBX_OK);
	assert_string_equal(buf_text(&text), row->want);
	assert_int_equal(
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1, row->exit);
}

static void
test_no_such_program(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(100);
	const char *argv[] = { "/nonexistent/program", NULL };
	struct spawn spawn = { argv, STDERR_FILENO, true, NULL, 30 };
	int status = 0;

	(void)state;
	assert_int_equal(spawn_run(&spawn, &status, &text, NULL), SBX_OK);
	assert_int_equal(WEXITSTATUS(status), SPAWN_FAILED);
	assert_string_equal(buf_text(&text),
	    "/nonexistent/program: No such file or directory\n");
}

static void
test_it_is_ended_in_time(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(16);
	int status = 0;

	(void)state;
	assert_int_equal(run_shell("echo x; exec tail -f /dev/null",
			     STDOUT_FILENO, 1, &status, &text),
	    SBX_TIMEOUT);
	assert_true(WIFSIGNALED(status));
}

/* As sandboxd does when it becomes a daemon, if it forgets its descriptors. */
static void
test_one_that_is_left_behind(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(16);
	char dir[] = "/tmp/test_spawn.XXXXXX", fifo[40], script[80];
	int status = 0, end;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(fifo, sizeof(fifo), "%s/f", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	(void)snprintf(script, sizeof(script), "cat %s & echo started", fifo);
	assert_int_equal(
	    run_shell(script, STDOUT_FILENO, 30, &status, &text), SBX_OK);
	assert_string_equal(buf_text(&text), "started\n");
	/* It ends when its file does. */
	end = open(fifo, O_WRONLY);
	assert_int_equal(close(end), 0);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_no_such_program),
		cmocka_unit_test(test_it_is_ended_in_time),
		cmocka_unit_test(test_one_that_is_left_behind),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	/* As ssh may leave it to us. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("SECRET", "token", 1);
	if (dup2(STDERR_FILENO, 7) != 7)
		return 1;
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
