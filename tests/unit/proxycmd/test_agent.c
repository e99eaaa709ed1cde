/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "proxycmd/agent.h"
#include "tests/unit/scratch.h"

static const struct alias alias = { .id = "run-1", .text = "run-1.sandbox" };

/* ---- the key */

static const struct key_row {
	const char *name;
	const char *key; /* NULL: no file */
	bool own;
	bool want;
} key_rows[] = {
	{ "key made here", NULL, false, false },
	{ "key of one's own, no file", NULL, true, true },
	{ "key of one's own, nothing in it", "", true, true },
	{ "key, OpenSSH",
	    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
	    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n",
	    true, false },
	{ "key, OpenSSH, encrypted",
	    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
	    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0\n",
	    true, true },
	{ "key, PEM", "-----BEGIN EC PRIVATE KEY-----\nMHcC\n", true, false },
	{ "key, PEM, encrypted",
	    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", true,
	    true },
	{ "key, PKCS8", "-----BEGIN PRIVATE KEY-----\nMIGH\n", true, false },
	{ "key, PKCS8, encrypted",
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHs\n", true, true },
};

#define KEY_ROWS (sizeof(key_rows) / sizeof(key_rows[0]))

static void
test_key(void **state)
{
	const struct key_row *row = *state;
	struct session session = { .file[SESSION_PUBLIC_KEY] = row->own };

	assert_int_equal(mkdir(alias.text, 0700), 0);
	assert_true(row->key == NULL ||
	    scratch_write("theirs", 0600, VIEW_STR(row->key)));
	if (row->key != NULL)
		assert_int_equal(
		    symlink("../theirs", "run-1.sandbox/" CACHE_KEY), 0);
	assert_int_equal(
	    agent_has_key(scratch_path, &alias, &session), row->want);
}

/* ---- forwarding */

#define MINE "ForwardAgent yes\n"
#define OURS "Match host a exec \"x prepare --no-agent '%h'\"\n"

static const struct forward_row {
	const char *name;
	const char *argv[8];
	const char *config; /* of the usual place */
	bool want;
} forward_rows[] = {
	{ "ssh", { "ssh", "host" }, "", false },
	{ "ssh -A", { "ssh", "-A", "host" }, "", true },
	{ "ssh host -A", { "ssh", "host", "-A" }, "", true },
	{ "ssh -tA", { "ssh", "-tA", "host" }, "", true },
	{ "ssh -A -a", { "ssh", "-A", "-a", "host" }, "", false },
	{ "ssh -p 1 -A", { "ssh", "-p", "1", "-A", "host" }, "", true },
	{ "ssh -p -A", { "ssh", "-p", "-A", "host" }, "", false },
	{ "ssh -pA", { "ssh", "-pA", "host" }, "", false },
	{ "ssh -- host -A", { "ssh", "--", "host", "-A" }, "", false },
	{ "ssh host command -A", { "ssh", "host", "ls", "-A" }, "", false },
	{ "ssh -o", { "ssh", "-o", "ForwardAgent yes", "host" }, "", true },
	{ "ssh -o no",
	    { "ssh", "-oForwardAgent=no", "-oForwardAgent=yes", "h" }, MINE,
	    false },
	{ "ssh -o another", { "ssh", "-oForwardX11=yes", "host" }, "", false },
	{ "config", { "ssh", "host" }, MINE, true },
	{ "config, another host", { "ssh", "host" }, "Host x\n " MINE, true },
	{ "config, no", { "ssh", "host" }, "ForwardAgent no\n", false },
	{ "config, a path", { "ssh", "host" }, "ForwardAgent $X\n", true },
	{ "config, -a", { "ssh", "-a", "host" }, MINE, false },
	{ "config, below", { "ssh", "host" }, OURS MINE, false },
	{ "config, above", { "ssh", "host" }, MINE OURS, true },
	{ "ssh -F", { "ssh", "-F", "other", "host" }, "", true },
	{ "ssh -F none", { "ssh", "-Fnone", "host" }, MINE, false },
};

#define FORWARD_ROWS (sizeof(forward_rows) / sizeof(forward_rows[0]))

/* A process with that command line, which waits to be ended. */
static pid_t
start_ssh(const char *const argv[])
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)execv("/proc/self/exe", (char *const *)argv);
		_exit(127);
	}
	/* Closed when it has become the other program. */
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	(void)close(ready[0]);
	return pid;
}

static void
test_forward(void **state)
{
	const struct forward_row *row = *state;
	pid_t pid;
	bool got;

	assert_int_equal(mkdir(".ssh", 0700), 0);
	assert_true(scratch_write(".ssh/config", 0600, VIEW_STR(row->config)));
	assert_true(scratch_write("other", 0600, VIEW_STR(MINE)));
	pid = start_ssh(row->argv);
	got = agent_is_forwarded(pid, scratch_path);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(got, row->want);
}

/* ---- an answer */

static void
test_answer(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "agent");
	assert_false(agent_answers(NULL, 1));
	assert_false(agent_answers("agent", 1));
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_false(agent_answers("agent", 1));
	assert_int_equal(listen(fd, 4), 0);
	assert_false(agent_answers("agent", 1));
	(void)close(fd);
	assert_false(agent_answers("agent", 1));
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[KEY_ROWS + FORWARD_ROWS + 1];
	size_t n = 0;

	if (argc > 1 && strcmp(argv[0], "ssh") == 0)
		return pause();
	for (size_t i = 0; i < KEY_ROWS; i++)
		tests[n++] = (struct CMUnitTest){ key_rows[i].name, test_key,
			scratch_enter, scratch_leave, (void *)&key_rows[i] };
	for (size_t i = 0; i < FORWARD_ROWS; i++)
		tests[n++] = (struct CMUnitTest){ forward_rows[i].name,
			test_forward, scratch_enter, scratch_leave,
			(void *)&forward_rows[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
	    test_answer, scratch_enter, scratch_leave);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
