/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/file.h"
#include "proxycmd/fdpass.h"
#include "proxycmd/hosts.h"
#include "proxycmd/session.h"

#define NOW 1000000000

static char dir[] = "/tmp/test_shell.XXXXXX";
static char script[64], rc[64];

/* Who reads a file before it runs us. */
static const struct exposed {
	const char *name;
	struct shell shell;
	bool want;
} exposed[] = {
	{ "sh", { "/bin/sh", NULL, "/x" }, false },
	{ "dash", { "/bin/dash", NULL, NULL }, false },
	{ "bash at a terminal", { "/bin/bash", "1", NULL }, false },
	{ "bash deep in others", { "/bin/bash", "12", NULL }, false },
	{ "bash on a desktop", { "/bin/bash", NULL, NULL }, true },
	{ "bash, after exec", { "/bin/bash", "0", NULL }, true },
	{ "bash, a level below", { "/bin/bash", "-1", NULL }, true },
	{ "bash, a level that is none", { "/bin/bash", "x", NULL }, true },
	{ "bash with BASH_ENV", { "/bin/bash", "1", "/x" }, true },
	{ "bash with an empty one", { "/bin/bash", "1", "" }, false },
	{ "zsh", { "/usr/bin/zsh", "1", NULL }, true },
	{ "fish", { "/usr/bin/fish", "1", NULL }, true },
	{ "tcsh", { "/bin/tcsh", "1", NULL }, true },
	{ "a name alone", { "bash", NULL, NULL }, true },
	{ "one that nobody knows", { "/opt/nu", "1", NULL }, true },
};

static void
test_exposed(void **state)
{
	const struct exposed *row = *state;

	assert_int_equal(shell_is_exposed(&row->shell), row->want);
}

/* What a shell does before it does what it is told to. */
static const struct row {
	const char *name;
	const char *before;
	enum shell_verdict verdict;
	bool relay;
	const char *text;
} rows[] = {
	{ "nothing", "", SHELL_QUIET, false, "" },
	{ "to the terminal", "echo hi >&2\n", SHELL_QUIET, false, "" },
	{ "a line", "echo Welcome\n", SHELL_LOUD, true, "Welcome" },
	{ "no line's end", "printf Welcome\n", SHELL_LOUD, true, "Welcome" },
	{ "an empty line", "echo\n", SHELL_LOUD, true, "" },
	{ "escapes", "printf '\\033[31m\\n'\n", SHELL_LOUD, true, "\\x1b[31m" },
	{ "the second line", "printf '\\n\\nhi\\n'\n", SHELL_LOUD, true, "hi" },
	{ "a NUL", "printf 'a\\0\\n'\n", SHELL_LOUD, false, "a\\x00" },
	{ "a banner", "echo SSH-2.0-x\n", SHELL_LOUD, false, "SSH-2.0-x" },
	{ "many lines",
	    "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i + 1)); done\n",
	    SHELL_LOUD, false, "0" },
	{ "a long line", "printf '%09000d\\n' 1\n", SHELL_LOUD, false,
	    "00000000000000000000000000000000..." },
	{ "its end", "exit 0\n", SHELL_ENDS, false, "" },
	{ "its end, with words", "echo bye; exit 1\n", SHELL_ENDS, false,
	    "bye" },
	{ "its end, unless there are pipes", "[ -p /dev/stdout ] || exit\n",
	    SHELL_ENDS, true, "" },
	{ "waits for input", "read -r line\n", SHELL_STUCK, false, "" },
	{ "sleeps, unless there are pipes",
	    "[ -p /dev/stdout ] || exec sleep 60\n", SHELL_STUCK, true, "" },
};

static void
put_script(const char *path, const char *first, const char *text, mode_t mode)
{
	cleanup_buf struct buf all = BUF_INIT(65536);

	buf_printf(&all, "%s%s", first, text);
	assert_int_equal(
	    file_write_atomic(AT_FDCWD, path, mode, buf_view(&all), NULL),
	    SBX_OK);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf text = BUF_INIT(65536);
	const struct shell shell = { script, "0", NULL };
	struct shell_finding found;
	char says[SHELL_SAYS];

	buf_printf(&text, "%sexec /bin/sh \"$@\"\n", row->before);
	put_script(script, "#!/bin/sh\n", buf_text(&text), 0700);
	shell_judge(&shell, dir, &found);
	assert_int_equal(found.verdict, row->verdict);
	assert_int_equal(found.relay, row->relay);
	assert_string_equal(found.text, row->text);
	assert_string_equal(found.file, "");
	shell_put(&shell, &found, says);
	assert_int_equal(*says == '\0', row->verdict == SHELL_QUIET);
	assert_true(*says == '\0' || strstr(says, script) != NULL);
}

/* A real one: its file is named. */
static void
test_culprit(void **state)
{
	static const struct {
		const char *text;
		enum shell_verdict verdict;
	} files[] = {
		{ "echo Welcome\n", SHELL_LOUD },
		{ "exit 3\n", SHELL_ENDS },
		{ "read -r line\n", SHELL_STUCK },
	};
	struct shell shell = { "/bin/bash", NULL, NULL };
	struct shell_finding found;
	char says[SHELL_SAYS];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		put_script(rc, "", files[i].text, 0600);
		shell.level = NULL;
		shell_judge(&shell, dir, &found);
		assert_int_equal(found.verdict, files[i].verdict);
		assert_string_equal(found.file, rc);
		/* With pipes it does not read that. */
		assert_true(found.relay);
		shell.level = "1";
		shell_judge(&shell, dir, &found);
		assert_int_equal(found.verdict, SHELL_QUIET);
		shell.bash_env = rc;
		shell_judge(&shell, dir, &found);
		assert_int_equal(found.verdict, files[i].verdict);
		assert_string_equal(found.file, rc);
		assert_int_equal(found.relay, i == 0);
		shell.bash_env = NULL;
	}
	put_script(rc, "", "echo Welcome\n", 0600);
	shell.level = NULL;
	shell_judge(&shell, dir, &found);
	shell_put(&shell, &found, says);
	assert_non_null(strstr(says, "/.bashrc prints 'Welcome'"));
	assert_int_equal(unlink(rc), 0);
}

static void
expect_hosts(const char *want)
{
	cleanup_buf struct buf text = BUF_INIT(65536);
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/hosts.conf", dir);
	assert_int_equal(file_read(AT_FDCWD, path, &text, NULL), SBX_OK);
	assert_string_equal(strchr(buf_text(&text), '\n') + 1, want);
}

/* For everybody until it is taken back. */
static void
test_note(void **state)
{
	const struct shell shell = { "/bin/bash", NULL, "/a\nb" };
	const struct shell_finding found = { .verdict = SHELL_LOUD,
		.relay = true,
		.file = "/home/\033[2J/.bashrc",
		.text = "hi" };
	struct fdpass_note note;
	struct sbx_why why = { "" };

	(void)state;
	assert_false(fdpass_is_off(dir, NULL));
	assert_false(fdpass_is_off(dir, &note));
	assert_int_equal(
	    fdpass_switch_off(dir, &shell, &found, NOW, &why), SBX_OK);
	assert_non_null(strstr(why.text, "prints 'hi'"));
	assert_true(fdpass_is_off(dir, NULL));
	assert_true(fdpass_is_off(dir, &note));
	assert_string_equal(note.shell, "/bin/bash");
	assert_string_equal(note.level, "");
	assert_string_equal(note.bash_env, "/a");
	expect_hosts("# /home/\\x1b[2J/.bashrc prints 'hi': see sandbox-proxy "
		     "doctor.\nProxyUseFdpass no\n");
	assert_int_equal(fdpass_switch_on(dir, NOW, NULL), SBX_OK);
	assert_false(fdpass_is_off(dir, NULL));
	expect_hosts("");
	assert_int_equal(fdpass_switch_on(dir, NOW, NULL), SBX_IO);
	assert_int_equal(
	    fdpass_switch_off("/nonexistent", &shell, &found, NOW, NULL),
	    SBX_NOT_FOUND);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(script, sizeof(script), "%s/shell", dir);
	(void)snprintf(rc, sizeof(rc), "%s/.bashrc", dir);
	return setenv("HOME", dir, 1);
}

static int
tear_down(void **state)
{
	char path[64];

	(void)state;
	(void)unlink(script);
	(void)snprintf(path, sizeof(path), "%s/" CACHE_HOSTS, dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/" HOSTS_LOCK, dir);
	(void)unlink(path);
	return rmdir(dir);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
main(void)
{
	struct CMUnitTest tests[COUNT(exposed) + COUNT(rows) + 2] = {
		cmocka_unit_test(test_culprit),
		cmocka_unit_test(test_note),
	};
	size_t n = 2;

	for (size_t i = 0; i < COUNT(exposed); i++)
		tests[n++] = (struct CMUnitTest){ exposed[i].name, test_exposed,
			NULL, NULL, (void *)&exposed[i] };
	for (size_t i = 0; i < COUNT(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
