/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "broker/providers/local/tree.h"

/* Far beyond PATH_MAX and the number of descriptors. */
#define DEPTH 2000
#define LONG_NAME "a-folder-with-a-name-that-is-not-short"

static int home;

static void
make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int
make_dir(int dir, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(dir, name, 0700), 0);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
fill_nothing(int top)
{
	(void)top;
}

static void
fill_files(int top)
{
	char name[16];

	for (int i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		make_file(top, name);
	}
}

static void
fill_deep(int top)
{
	int dir = dup(top);

	for (int i = 0; i < DEPTH; i++) {
		int next = make_dir(dir, LONG_NAME);

		make_file(dir, "file");
		(void)close(dir);
		dir = next;
	}
	(void)close(dir);
}

static void
fill_wide(int top)
{
	char name[16];

	for (int i = 0; i < 100; i++) {
		int a, b;

		(void)snprintf(name, sizeof(name), "%d", i);
		a = make_dir(top, name);
		b = make_dir(a, "same");
		make_file(b, "file");
		(void)close(b);
		(void)close(a);
	}
}

static void
fill_locked(int top)
{
	int outer = make_dir(top, "locked"), inner = make_dir(outer, "in");
	int deepest = make_dir(inner, "in");

	make_file(deepest, "file");
	(void)close(deepest);
	(void)fchmod(inner, 0500);
	(void)fchmod(outer, 0);
	(void)close(inner);
	(void)close(outer);
}

static void
fill_links(int top)
{
	assert_int_equal(symlinkat("..", top, "up"), 0);
	assert_int_equal(symlinkat("../bystander", top, "beside"), 0);
	assert_int_equal(symlinkat("nowhere", top, "nowhere"), 0);
	assert_int_equal(mkfifoat(top, "fifo", 0600), 0);
}

/* Names that the flattening itself gives. */
static void
fill_taken_names(int top)
{
	for (int i = 0; i < 3; i++) {
		char name[32];
		int a, b;

		(void)snprintf(name, sizeof(name), ".removed.%d", i);
		a = make_dir(top, name);
		b = make_dir(a, name);
		make_file(b, name);
		(void)close(b);
		(void)close(a);
	}
}

static const struct row {
	const char *name;
	void (*fill)(int top);
} rows[] = {
	{ "an empty folder", fill_nothing },
	{ "many files", fill_files },
	{ "a very deep tree", fill_deep },
	{ "a wide tree", fill_wide },
	{ "folders without permissions", fill_locked },
	{ "symbolic links and a FIFO", fill_links },
	{ "names of our own", fill_taken_names },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sbx_why why = { "" };
	int top = make_dir(home, "top");

	row->fill(top);
	(void)close(top);
	if (tree_remove(home, "top", &why) != SBX_OK)
		fail_msg("%s", why.text);
	assert_int_not_equal(faccessat(home, "top", F_OK, 0), 0);
	assert_int_equal(faccessat(home, "bystander/file", F_OK, 0), 0);
}

static bool at_a_border;
static int full; /* no room for a name until so many files are gone */
int __real_renameat2(int, const char *, int, const char *, unsigned);
int __wrap_renameat2(int, const char *, int, const char *, unsigned);

/* As on btrfs, between two subvolumes. */
int
__wrap_renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (at_a_border) {
		errno = EXDEV;
		return -1;
	}
	if (full > 0) {
		errno = ENOSPC;
		return -1;
	}
	return __real_renameat2(from_dir, from, to_dir, to, flags);
}

/* Deeper than can be done without moving anything. */
static void
test_a_full_disk(void **state)
{
	struct sbx_why why = { "" };
	int top = make_dir(home, "top");

	(void)state;
	fill_deep(top);
	fill_wide(top);
	(void)close(top);
	full = 100;
	if (tree_remove(home, "top", &why) != SBX_OK)
		fail_msg("%s", why.text);
	full = 0;
	assert_int_not_equal(faccessat(home, "top", F_OK, 0), 0);
}

static bool resists;
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	int result;

	if (resists && strncmp(name, "resist", 6) == 0) {
		errno = EPERM;
		return -1;
	}
	result = __real_unlinkat(dir, name, flags);
	full -= result == 0 && full > 0;
	return result;
}

/* One that cannot be removed keeps none of the others. */
static void
test_what_resists(void **state)
{
	struct sbx_why why = { "" };
	int top = make_dir(home, "top"), inner;

	(void)state;
	fill_wide(top);
	make_file(top, "resist-1");
	inner = make_dir(top, "folder");
	make_file(inner, "resist-2");
	make_file(inner, "other");
	resists = true;
	assert_int_equal(tree_remove(home, "top", &why), SBX_IO);
	assert_non_null(strstr(why.text, strerror(EPERM)));
	resists = false;
	assert_int_equal(faccessat(top, "resist-1", F_OK, 0), 0);
	assert_int_equal(faccessat(inner, "resist-2", F_OK, 0), 0);
	assert_int_not_equal(faccessat(inner, "other", F_OK, 0), 0);
	assert_int_not_equal(faccessat(top, "99", F_OK, 0), 0);
	(void)close(inner);
	(void)close(top);
	assert_int_equal(tree_remove(home, "top", NULL), SBX_OK);
}

static void
test_where_nothing_can_be_moved(void **state)
{
	struct sbx_why why = { "" };
	int dir = make_dir(home, "top");

	(void)state;
	for (int i = 0; i < 6; i++) {
		int inner = make_dir(dir, "folder");

		make_file(dir, "file");
		(void)close(dir);
		dir = inner;
	}
	(void)close(dir);
	at_a_border = true;
	if (tree_remove(home, "top", &why) != SBX_OK)
		fail_msg("%s", why.text);
	at_a_border = false;
	assert_int_not_equal(faccessat(home, "top", F_OK, 0), 0);
}

static void
test_nothing_there(void **state)
{
	(void)state;
	assert_int_equal(tree_remove(home, "never", NULL), SBX_OK);
}

static void
test_a_link_instead(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(symlinkat("bystander", home, "link"), 0);
	assert_int_equal(tree_remove(home, "link", &why), SBX_IO);
	assert_non_null(strstr(why.text, "link"));
	assert_int_equal(faccessat(home, "bystander/file", F_OK, 0), 0);
	assert_int_equal(unlinkat(home, "link", 0), 0);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 5];
	const struct rlimit few = { 64, 64 };
	char path[] = "/tmp/test_local_tree.XXXXXX";
	int bystander, failed;

	if (mkdtemp(path) == NULL)
		return 99;
	home = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bystander = make_dir(home, "bystander");
	make_file(bystander, "file");
	(void)close(bystander);
	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		return 99;
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_nothing_there);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_a_link_instead);
	tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test(
	    test_where_nothing_can_be_moved);
	tests[ROWS + 3] = (struct CMUnitTest)cmocka_unit_test(test_a_full_disk);
	tests[ROWS + 4] =
	    (struct CMUnitTest)cmocka_unit_test(test_what_resists);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlinkat(home, "bystander/file", 0);
	(void)unlinkat(home, "bystander", AT_REMOVEDIR);
	(void)rmdir(path);
	return failed;
}
