/* SPDX-License-Identifier: ISC */
#include "proxycmd/voice.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cases.h"

static void
set_stderr(int fd)
{
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

static void
say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

/*
 * What arrives at the parent's standard error, which is theirs, from a child
 * that has ours there, speaks, gives the voice back and speaks again.
 */
static const char *
heard(int theirs, int ours, int from)
{
	static char got[64];
	int saved = dup(STDERR_FILENO), status;
	ssize_t n;
	pid_t pid;

	set_stderr(theirs);
	pid = fork();
	if (pid == 0) {
		int borrowed;

		if (dup2(ours, STDERR_FILENO) < 0)
			_exit(1);
		borrowed = voice_borrow(getppid());
		say("during ");
		voice_return(borrowed);
		say("after ");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	say("end");
	set_stderr(saved);
	(void)close(saved);
	n = read(from, got, sizeof(got) - 1);
	assert_true(n >= 0);
	got[n] = '\0';
	return got;
}

static void
of_a_pipe(void **state)
{
	int null = open("/dev/null", O_RDWR), fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_string_equal(heard(fds[1], null, fds[0]), "during end");
	/* Not while ours is good for something. */
	assert_string_equal(heard(fds[1], fds[1], fds[0]), "during after end");
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(null);
}

static void
not_of_a_file(void **state)
{
	char path[] = "/tmp/voice.XXXXXX";
	int null = open("/dev/null", O_RDWR), fd = mkstemp(path);
	int from = open(path, O_RDONLY);

	(void)state;
	assert_true(fd >= 0 && from >= 0);
	(void)unlink(path);
	assert_string_equal(heard(fd, null, from), "end");
	(void)close(fd);
	(void)close(from);
	(void)close(null);
}

static void
of_nobody(void **state)
{
	(void)state;
	assert_int_equal(voice_borrow(-1), -1);
	voice_return(-1);
}

int
main(void)
{
	CASE(of_a_pipe);
	CASE(not_of_a_file);
	CASE(of_nobody);
	return cases_run("voice");
}
