/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "authkeys/chain.h"
#include "authkeys/limits.h"
#include "authkeys/safepath.h"
#include "tests/unit/tmpdir.h"

static const struct chain_values values = { "al ice; $(x)", "ssh-ed25519",
	"AAAA+/==" };

static char *const environment[] = { (char *)"HOME=/home/x",
	(char *)"LD_PRELOAD=/evil", (char *)"PATH=/evil", (char *)"USER=gate",
	(char *)"LOGNAME=gate", (char *)"LANG=C", (char *)"SSH_CONNECTION=x",
	NULL };

/* Words end at blanks, so a script for sh has ${IFS} instead. */
static const struct row {
	const char *name;
	const char *command;
	enum sbx_err want;
	const char *output;
	const char *why; /* in the message; NULL: none */
} rows[] = {
	{ "tokens", "/usr/bin/printf [%%s] %u %t:%k 100%%", SBX_OK,
	    "[al ice; $(x)][ssh-ed25519:AAAA+/==][100%]", NULL },
	{ "environment", "/usr/bin/env", SBX_OK,
	    "PATH=/usr/bin:/bin:/usr/sbin:/sbin\nUSER=gate\nLOGNAME=gate\n"
	    "HOME=/home/x\nLANG=C\n",
	    NULL },
	{ "nothing to say", "/bin/true", SBX_OK, "", NULL },
	{ "no standard input", "/bin/cat", SBX_OK, "", NULL },
	{ "only standard descriptors", "/bin/ls /proc/self/fd", SBX_OK,
	    "0\n1\n2\n3\n", NULL },
	{ "failure", "/bin/false", SBX_THEN, NULL, "ended with status 1" },
	{ "missing", "/bin/nonexistent-command", SBX_IO, NULL,
	    "cannot look at /bin/nonexistent-command" },
	{ "a folder", "/bin", SBX_UNTRUSTED, NULL, "is not a program" },
	{ "no program", "/etc/passwd", SBX_UNTRUSTED, NULL,
	    "/etc/passwd is not a program" },
	{ "too much output", "/usr/bin/yes", SBX_TOO_LARGE, NULL,
	    "printed more than 65536 bytes" },
	{ "never ends", "/bin/sleep 1000", SBX_TIMEOUT, NULL,
	    "did not end within then_timeout" },
	{ "never ends, output closed",
	    "/bin/sh -c exec>&-;exec${IFS}sleep${IFS}99", SBX_TIMEOUT, NULL,
	    "did not end within then_timeout" },
	{ "leaves somebody behind with its output",
	    "/bin/sh -c sleep${IFS}99&echo${IFS}x", SBX_TIMEOUT, NULL,
	    "did not end within then_timeout" },
	{ "killed", "/bin/sh -c kill${IFS}-9${IFS}$$", SBX_THEN, NULL,
	    "was killed by signal 9" },
	{ "output, then failure", "/bin/sh -c echo${IFS}x;exit${IFS}3",
	    SBX_THEN, NULL, "ended with status 3" },
	{ "output", "/bin/sh -c echo${IFS}x;echo${IFS}y", SBX_OK, "x\ny\n",
	    NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf output = BUF_INIT(0);
	struct sbx_why why = { "" };
	enum sbx_err err =
	    chain_run(row->command, &values, 1, environment, &output, &why);

	if (err != row->want)
		fail_msg("%s, not %s: %s", sbx_err_name(err),
		    sbx_err_name(row->want), why.text);
	if (row->output != NULL)
		assert_string_equal(buf_text(&output), row->output);
	if (row->why != NULL && strstr(why.text, row->why) == NULL)
		fail_msg("'%s' is not in '%s'", row->why, why.text);
	/* Nobody is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Root's rules hold for root too. */
static void
test_program_in_an_open_folder(void **state)
{
	cleanup_buf struct buf output = BUF_INIT(0);
	struct sbx_why why = { "" };
	struct tmpdir tmpdir;
	char path[128];
	int fd;

	(void)state;
	tmpdir_make(&tmpdir);
	(void)snprintf(path, sizeof(path), "%s/program", tmpdir.path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(
	    chain_run(path, &values, 1, environment, &output, &why),
	    SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, "/tmp"));
	/* A link to a good one is as good as that one. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/bin/true", path), 0);
	assert_int_equal(
	    chain_run(path, &values, 1, environment, &output, &why), SBX_OK);
	tmpdir_remove(&tmpdir);
}

static pid_t
read_pid(int fd)
{
	char text[16] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static void
wait_until_gone(pid_t pid)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < 30000; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return;
		(void)nanosleep(&pause, NULL);
	}
	fail_msg("process %ld is still there", (long)pid);
}

/* The command tells its pid through a FIFO, then hangs. */
static void
end_while_it_runs(int number)
{
	struct tmpdir tmpdir;
	char command[256], path[128];
	pid_t pid, command_pid;
	int fifo, status;

	tmpdir_make(&tmpdir);
	(void)snprintf(path, sizeof(path), "%s/fifo", tmpdir.path);
	(void)snprintf(command, sizeof(command),
	    "/bin/sh -c echo${IFS}$$>%s;exec${IFS}sleep${IFS}99", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct buf output = BUF_INIT(0);

		_exit((int)chain_run(
		    command, &values, 60, environment, &output, NULL));
	}
	fifo = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fifo >= 0);
	command_pid = read_pid(fifo);
	assert_int_equal(kill(pid, number), 0);
	wait_until_gone(command_pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (number == SIGKILL)
		assert_true(WIFSIGNALED(status));
	else
		assert_int_equal(WEXITSTATUS(status), SBX_TIMEOUT);
	(void)close(fifo);
	tmpdir_remove(&tmpdir);
}

static void
test_sshd_gives_up(void **state)
{
	(void)state;
	end_while_it_runs(SIGTERM);
}

static void
test_killed_outright(void **state)
{
	(void)state;
	end_while_it_runs(SIGKILL);
}

/* What it left running, without keeping its output. */
static void
test_descendants_end_too(void **state)
{
	struct buf output = BUF_INIT(0);
	struct tmpdir tmpdir;
	char command[256], path[128];
	int fifo;

	(void)state;
	tmpdir_make(&tmpdir);
	(void)snprintf(path, sizeof(path), "%s/fifo", tmpdir.path);
	(void)snprintf(command, sizeof(command),
	    "/bin/sh -c sleep${IFS}99>&-&echo${IFS}$!>%s", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fifo >= 0);
	assert_int_equal(
	    chain_run(command, &values, 5, environment, &output, NULL), SBX_OK);
	wait_until_gone(read_pid(fifo));
	(void)close(fifo);
	buf_free(&output);
	tmpdir_remove(&tmpdir);
}

/* As main uses it: after limits_apply, before limits_seal. */
static void
test_under_limits(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct buf output = BUF_INIT(0);

		if (limits_apply(NULL) != SBX_OK ||
		    chain_run("/bin/sh -c ulimit${IFS}-n", &values, 3,
			environment, &output, NULL) != SBX_OK ||
		    strtol(buf_text(&output), NULL, 10) <= 16)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_program_in_an_open_folder),
	cmocka_unit_test(test_sshd_gives_up),
	cmocka_unit_test(test_killed_outright),
	cmocka_unit_test(test_descendants_end_too),
	cmocka_unit_test(test_under_limits),
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + OTHERS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
