/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "authkeys/connection.h"
#include "common/file.h"
#include "tests/unit/tmpdir.h"

#define BOOT "0fa1c5b0-6f2e-4c2f-9d3e-0123456789ab"
#define AFTER                                                              \
	" 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 8192 100 1844 " \
	"0 0\n"

/* A /proc of our own; NULL: there is no such file. */
static const struct row {
	const char *name;
	const char *boot;
	const char *namespace;
	const char *stat; /* of process 7 */
	const char *want; /* NULL: SBX_CONNECTION */
} rows[] = {
	{ "as sshd's", BOOT "\n", "pid:[4026531836]", "7 (sshd) S" AFTER,
	    BOOT " 4026531836 7 4711" },
	{ "command with a parenthesis and numbers", BOOT "\n", "pid:[1]",
	    "7 (a) S 1 1 1 1) S" AFTER, BOOT " 1 7 4711" },
	{ "command with a newline", BOOT "\n", "pid:[1]", "7 (a\nb) S" AFTER,
	    BOOT " 1 7 4711" },
	{ "command that is empty", BOOT "\n", "pid:[1]", "7 () S" AFTER,
	    BOOT " 1 7 4711" },
	{ "threat 21: no such process", BOOT "\n", "pid:[1]", NULL, NULL },
	{ "threat 21: stat without a command", BOOT "\n", "pid:[1]",
	    "7 sshd S" AFTER, NULL },
	{ "threat 21: stat cut short", BOOT "\n", "pid:[1]",
	    "7 (sshd) S 1 7 7 0 -1\n", NULL },
	{ "threat 21: stat that is empty", BOOT "\n", "pid:[1]", "", NULL },
	{ "threat 21: start time 0, as if hidden", BOOT "\n", "pid:[1]",
	    "7 (sshd) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 0 0\n",
	    NULL },
	{ "start time that is no number", BOOT "\n", "pid:[1]",
	    "7 (sshd) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 -5 0\n",
	    NULL },
	{ "threat 21: no boot id", NULL, "pid:[1]", "7 (sshd) S" AFTER, NULL },
	{ "boot id cut short", "0fa1c5b0\n", "pid:[1]", "7 (sshd) S" AFTER,
	    NULL },
	{ "boot id of other characters",
	    "0fa1c5b0 6f2e 4c2f 9d3e 0123456789ab\n", "pid:[1]",
	    "7 (sshd) S" AFTER, NULL },
	{ "threat 21: no namespace", BOOT "\n", NULL, "7 (sshd) S" AFTER,
	    NULL },
	{ "namespace of another kind", BOOT "\n", "net:[1]", "7 (sshd) S" AFTER,
	    NULL },
	{ "namespace without a number", BOOT "\n", "pid:[]", "7 (sshd) S" AFTER,
	    NULL },
	{ "namespace with more", BOOT "\n", "pid:[1]]", "7 (sshd) S" AFTER,
	    NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
put(int dir, const char *name, const char *text)
{
	if (text != NULL)
		assert_int_equal(
		    file_write_atomic(dir, name, 0600, VIEW_STR(text), NULL),
		    SBX_OK);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct connection connection;
	struct sbx_why why = { "" };
	struct tmpdir tmpdir;
	enum sbx_err err;

	tmpdir_make(&tmpdir);
	assert_int_equal(mkdirat(tmpdir.dir, "7", 0700), 0);
	assert_int_equal(mkdirat(tmpdir.dir, "self", 0700), 0);
	assert_int_equal(mkdirat(tmpdir.dir, "self/ns", 0700), 0);
	assert_int_equal(mkdirat(tmpdir.dir, "sys", 0700), 0);
	assert_int_equal(mkdirat(tmpdir.dir, "sys/kernel", 0700), 0);
	assert_int_equal(mkdirat(tmpdir.dir, "sys/kernel/random", 0700), 0);
	put(tmpdir.dir, "sys/kernel/random/boot_id", row->boot);
	put(tmpdir.dir, "7/stat", row->stat);
	if (row->namespace != NULL)
		assert_int_equal(
		    symlinkat(row->namespace, tmpdir.dir, "self/ns/pid"), 0);
	err = connection_find(tmpdir.path, 7, &connection, &why);
	tmpdir_remove(&tmpdir);
	if (row->want == NULL) {
		assert_int_equal(err, SBX_CONNECTION);
		assert_non_null(strstr(why.text, "cannot tell"));
		return;
	}
	assert_string_equal(why.text, "");
	assert_int_equal(err, SBX_OK);
	assert_string_equal(connection.text, row->want);
}

/* A parent outside of our PID namespace. */
static void
test_no_parent(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(
	    connection_find("/proc", 0, &connection, NULL), SBX_CONNECTION);
}

static void
test_proc_is_missing(void **state)
{
	struct connection connection;

	(void)state;
	assert_int_equal(connection_find("/nonexistent", 1, &connection, NULL),
	    SBX_CONNECTION);
}

static void
ask_as_child(int output)
{
	struct connection connection = { "" };
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (connection_of_parent(&connection, NULL) != SBX_OK ||
		    write(output, connection.text, CONNECTION_MAX) !=
			CONNECTION_MAX)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Two children of one process see the same, another's see another. */
static void
test_the_real_one(void **state)
{
	char text[3][CONNECTION_MAX];
	int ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	ask_as_child(ends[1]);
	ask_as_child(ends[1]);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ask_as_child(ends[1]);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], text, sizeof(text)), sizeof(text));
	assert_string_equal(text[0], text[1]);
	assert_string_not_equal(text[0], text[2]);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_no_parent);
	tests[ROWS + 1] = (struct CMUnitTest){ "threat 21: /proc is missing",
		test_proc_is_missing, NULL, NULL, NULL };
	tests[ROWS + 2] =
	    (struct CMUnitTest)cmocka_unit_test(test_the_real_one);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
