/* SPDX-License-Identifier: ISC */
#include <limits.h>
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

#include "proxycmd/setup/owned_path.h"

#define THEIRS 12345

static char top[] = "/tmp/test_owned.XXXXXX";
static char real[PATH_MAX];

/*
 * In top: mine/ and theirs/, each with a file; links of both owners to both,
 * absolute and relative.
 */
static const struct row {
	const char *name;
	enum sbx_err want;
	const char *culprit; /* what is named */
} rows[] = {
	{ "mine/file", SBX_OK, NULL },
	{ "mine/missing/file", SBX_OK, NULL },
	{ "mine/../mine//./file", SBX_OK, NULL },
	{ "theirs/file", SBX_UNTRUSTED, "theirs" },
	{ "theirs/missing", SBX_UNTRUSTED, "theirs" },
	{ "mine/../theirs/file", SBX_UNTRUSTED, "mine/../theirs" },
	{ "my-link-to-mine/file", SBX_OK, NULL },
	{ "my-link-to-theirs/file", SBX_UNTRUSTED, "theirs" },
	{ "their-link-to-mine/file", SBX_UNTRUSTED, "their-link-to-mine" },
	{ "their-link-to-mine", SBX_UNTRUSTED, "their-link-to-mine" },
	{ "my-absolute-link-to-mine/file", SBX_OK, NULL },
	{ "my-absolute-link-to-theirs/file", SBX_UNTRUSTED, "theirs" },
	{ "mine/their-file", SBX_OK, NULL },
	{ "circle/file", SBX_IO, "circle" },
	{ "a-link-to-nothing/file", SBX_OK, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sbx_why why = { "" };
	char path[256], culprit[256];

	if (geteuid() != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/%s", top, row->name);
	assert_string_equal(sbx_err_name(owned_path_check(path, 0, real, &why)),
	    sbx_err_name(row->want));
	if (row->culprit == NULL)
		return;
	(void)snprintf(culprit, sizeof(culprit), "%s/%s%c", top, row->culprit,
	    row->want == SBX_IO ? ':' : ' ');
	if (strstr(why.text, culprit) == NULL)
		fail_msg("'%s' does not name '%s'", why.text, culprit);
}

/* What somebody puts there after the check. */
static void
test_slipped_in(void **state)
{
	static const struct {
		const char *folder;
		bool make;
		enum sbx_err want;
	} opened[] = {
		{ "mine", false, SBX_OK },
		{ "mine/../mine", false, SBX_OK },
		{ "my-link-to-mine", false, SBX_UNTRUSTED },
		{ "my-link-to-mine", true, SBX_UNTRUSTED },
		{ "theirs", true, SBX_UNTRUSTED },
		{ "mine/file", true, SBX_UNTRUSTED },
		{ "mine/none/new", true, SBX_NOT_FOUND },
		{ "mine/new", false, SBX_NOT_FOUND },
		{ "mine/new", true, SBX_OK },
	};
	char path[256];

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++) {
		int fd = -1;

		(void)snprintf(
		    path, sizeof(path), "%s/%s", top, opened[i].folder);
		assert_int_equal(
		    owned_path_open(path, 0, opened[i].make, &fd, NULL),
		    opened[i].want);
		assert_int_equal(fd >= 0, opened[i].want == SBX_OK);
		if (fd >= 0)
			(void)close(fd);
	}
	assert_int_equal(rmdir("mine/new"), 0);
	/* Where links led to, and what was missing behind them. */
	(void)snprintf(path, sizeof(path), "%s/my-link-to-mine/a/b", top);
	assert_int_equal(owned_path_check(path, 0, real, NULL), SBX_OK);
	(void)snprintf(path, sizeof(path), "%s/mine/a/b", top);
	assert_string_equal(real, path);
}

/* Without root's rights: everything here is somebody else's. */
static void
test_another_owner(void **state)
{
	(void)state;
	if (geteuid() == 0)
		return;
	assert_int_equal(owned_path_check(top, geteuid(), real, NULL), SBX_OK);
	assert_int_equal(
	    owned_path_check(top, geteuid() + 1, real, NULL), SBX_UNTRUSTED);
}

static void
test_too_long(void **state)
{
	char path[9000];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(owned_path_check(path, 0, real, NULL), SBX_IO);
	path[1000] = '\0';
	assert_int_equal(owned_path_check(path, 0, real, NULL), SBX_IO);
}

static int
put_file(const char *path)
{
	FILE *f = fopen(path, "w");

	return f == NULL ? -1 : fclose(f);
}

static int
set_up(void **state)
{
	char absolute[64];

	(void)state;
	if (mkdtemp(top) == NULL || chdir(top) < 0)
		return -1;
	if (mkdir("mine", 0755) < 0 || mkdir("theirs", 0755) < 0 ||
	    put_file("mine/file") < 0 || put_file("mine/their-file") < 0 ||
	    put_file("theirs/file") < 0 ||
	    symlink("mine", "my-link-to-mine") < 0 ||
	    symlink("theirs", "my-link-to-theirs") < 0 ||
	    symlink("mine", "their-link-to-mine") < 0 ||
	    symlink("circle", "circle") < 0 ||
	    symlink("nothing", "a-link-to-nothing") < 0)
		return -1;
	(void)snprintf(absolute, sizeof(absolute), "%s/mine", top);
	if (symlink(absolute, "my-absolute-link-to-mine") < 0)
		return -1;
	(void)snprintf(absolute, sizeof(absolute), "%s/theirs", top);
	if (symlink(absolute, "my-absolute-link-to-theirs") < 0)
		return -1;
	if (geteuid() != 0)
		return 0;
	return lchown("theirs", THEIRS, THEIRS) |
	    lchown("their-link-to-mine", THEIRS, THEIRS) |
	    lchown("mine/their-file", THEIRS, THEIRS);
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "mine/file", "mine/their-file",
		"theirs/file", "my-link-to-mine", "my-link-to-theirs",
		"their-link-to-mine", "circle", "a-link-to-nothing",
		"my-absolute-link-to-mine", "my-absolute-link-to-theirs" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	return rmdir("mine") | rmdir("theirs") | chdir("/") | rmdir(top);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3] = {
		cmocka_unit_test(test_slipped_in),
		cmocka_unit_test(test_another_owner),
		cmocka_unit_test(test_too_long),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].name, test_row,
			NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
