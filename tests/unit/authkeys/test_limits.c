/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "authkeys/limits.h"
#include "common/sanitized.h"

/* In a child each: limits cannot be taken back. True exits with 0. */
typedef bool child_check(void);

static bool
alarm_is_set(void)
{
	sigset_t set;
	struct sigaction action;
	unsigned left;

	/* As a careless parent may leave it. */
	(void)sigfillset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGALRM, SIG_IGN);
	if (limits_apply(NULL) != SBX_OK ||
	    sigprocmask(SIG_SETMASK, NULL, &set) < 0 ||
	    sigaction(SIGALRM, NULL, &action) < 0)
		return false;
	left = alarm(0);
	return sigismember(&set, SIGALRM) == 0 &&
	    action.sa_handler == SIG_DFL && left > 0 &&
	    left <= LIMITS_SECONDS && sigaction(SIGPIPE, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

/* Asking for them is not permitted any more, but they hold. */
static bool
limits_hold_when_sealed(void)
{
	int fd = 0;

	if (limits_apply(NULL) != SBX_OK || limits_seal(NULL) != SBX_OK)
		return false;
	while (fd >= 0 && fd < 16)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 && errno == EMFILE && (SANITIZED || fork() < 0);
}

/* A limit that is lower already stays. */
static bool
lower_limit_stays(void)
{
	struct rlimit limit = { 8, 8 };

	return setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limits_apply(NULL) == SBX_OK &&
	    getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 8;
}

/* Another program gets what sshd gave us, signals too. */
static bool
lifted_as_it_was(void)
{
	struct rlimit before, after;
	struct sigaction action;

	return getrlimit(RLIMIT_NOFILE, &before) == 0 &&
	    limits_apply(NULL) == SBX_OK &&
	    getrlimit(RLIMIT_NOFILE, &after) == 0 && after.rlim_cur <= 16 &&
	    limits_lift() == SBX_OK && getrlimit(RLIMIT_NOFILE, &after) == 0 &&
	    after.rlim_cur == before.rlim_cur &&
	    after.rlim_max == before.rlim_max &&
	    sigaction(SIGPIPE, NULL, &action) == 0 &&
	    action.sa_handler == SIG_DFL;
}

static bool
closed_output_cannot_be_written(void)
{
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	return limits_apply(NULL) == SBX_OK &&
	    fcntl(STDIN_FILENO, F_GETFD) >= 0 &&
	    fcntl(STDOUT_FILENO, F_GETFD) >= 0 &&
	    write(STDOUT_FILENO, "x", 1) < 0;
}

static bool
nobody_looks_in(void)
{
	return limits_apply(NULL) == SBX_OK &&
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static const struct row {
	const char *name;
	child_check *check;
} rows[] = {
	{ "threat 30: the alarm is set and kills", alarm_is_set },
	{ "others of the same account cannot reach in", nobody_looks_in },
	{ "threat 30: limits hold when sealed", limits_hold_when_sealed },
	{ "a lower limit stays", lower_limit_stays },
	{ "another program gets the old ones", lifted_as_it_was },
	{ "threat 30: closed output cannot be written",
	    closed_output_cannot_be_written },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(row->check() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
