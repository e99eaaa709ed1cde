/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "tests/unit/cases.h"

/* What stood on standard error while say() ran. */
static const char *
caught(void (*say)(const char *), const char *text)
{
	static char got[16384];
	int pipe_fd[2], saved;
	ssize_t n;

	assert_int_equal(pipe(pipe_fd), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_int_equal(dup2(pipe_fd[1], STDERR_FILENO), STDERR_FILENO);
	say(text);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(close(saved), 0);
	assert_int_equal(close(pipe_fd[1]), 0);
	/* one write, and less than a pipe holds: one read */
	n = read(pipe_fd[0], got, sizeof(got) - 1);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_int_equal(close(pipe_fd[0]), 0);
	return got;
}

static void
say_error(const char *text)
{
	log_error("%s", text);
}

static const struct {
	const char *name;
	const char *argv0;
	const char *text;
	const char *want;
} rows[] = {
	{ "a line", "sandbox-cert", "wrong", "sandbox-cert: wrong\n" },
	{ "path of the program is cut", "/usr/bin/sandbox-cert", "wrong",
	    "sandbox-cert: wrong\n" },
	{ "newline is escaped", "p", "a\nb", "p: a\\x0ab\n" },
	{ "terminal control is escaped", "p", "\33]0;x\7",
	    "p: \\x1b]0;x\\x07\n" },
	{ "UTF-8 is escaped", "p", "\303\244", "p: \\xc3\\xa4\n" },
	{ "format characters are text", "p", "%s%n", "p: %s%n\n" },
	{ "name of the program is escaped", "a\nb", "x", "a\\x0ab: x\n" },
};

static void
test_row(void **state)
{
	const __typeof__(rows[0]) *row = *state;

	log_init(row->argv0);
	assert_string_equal(caught(say_error, row->text), row->want);
}

static void
no_name_keeps_the_last(void **state)
{
	(void)state;
	log_init("good");
	log_init(NULL);
	log_init("");
	assert_string_equal(log_program(), "good");
}

static void
long_text_is_one_cut_line(void **state)
{
	static char text[5000];
	const char *got;

	(void)state;
	memset(text, '\n', sizeof(text) - 1); /* four bytes each, escaped */
	log_init("p");
	got = caught(say_error, text);
	assert_true(strlen(got) > 1000);
	assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

static void
long_program_does_not_silence(void **state)
{
	static char argv0[9000];

	(void)state;
	memset(argv0, 'p', sizeof(argv0) - 1);
	log_init(argv0);
	assert_non_null(strstr(caught(say_error, "wrong"), ": wrong\n"));
}

static int status;

static void
say_failure(const char *text)
{
	struct sbx_why why = { "" };

	if (text != NULL)
		status = sbx_fail(&why, SBX_TIMEOUT, "%s", text);
	status = log_failure(SBX_TIMEOUT, &why);
}

static void
failure_gives_the_status(void **state)
{
	(void)state;
	log_init("p");
	assert_string_equal(caught(say_failure, "after 5 s"), "p: after 5 s\n");
	assert_int_equal(status, EX_TEMPFAIL);
	assert_string_equal(caught(say_failure, NULL), "p: timed out\n");
}

static uint64_t
some_time(void)
{
	return 1795291262;
}

static uint64_t
no_time(void)
{
	return UINT64_MAX / 2;
}

static void
time_where_it_was_asked_for(void **state)
{
	(void)state;
	log_init("p");
	log_with_time(some_time);
	assert_string_equal(
	    caught(say_error, "x"), "2026-11-21T20:01:02Z p: x\n");
	/* Years that do not fit are left out. */
	log_with_time(no_time);
	assert_string_equal(caught(say_error, "x"), "p: x\n");
	log_with_time(NULL);
	assert_string_equal(caught(say_error, "x"), "p: x\n");
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(no_name_keeps_the_last);
	CASE(long_text_is_one_cut_line);
	CASE(long_program_does_not_silence);
	CASE(failure_gives_the_status);
	CASE(time_where_it_was_asked_for);
	return cases_run("log");
}
