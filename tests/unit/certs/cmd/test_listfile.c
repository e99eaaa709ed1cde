/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "certs/cmd/listfile.h"
#include "tests/unit/scratch.h"

/* What gets to disk, in this order: the bytes, the name, its folder. */
static char trace[16];
static struct stat synced;
static bool folders_fail;

static void
note(char what)
{
	trace[strlen(trace)] = what;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	assert_int_equal(fstat(fd, &synced), 0);
	note(S_ISDIR(synced.st_mode) ? 'd' : 'f');
	if (S_ISDIR(synced.st_mode) && folders_fail) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

int __real_renameat(int dir, const char *name, int to, const char *new);
int __wrap_renameat(int dir, const char *name, int to, const char *new);
int
__wrap_renameat(int dir, const char *name, int to, const char *new)
{
	note('r');
	return __real_renameat(dir, name, to, new);
}

/* The clock. */
#define NOW 2000000000
static time_t now = NOW;

time_t __wrap_time(time_t *ret);
time_t
__wrap_time(time_t *ret)
{
	if (ret != NULL)
		*ret = now;
	return now;
}

static struct keypair ca;

static enum sbx_err
write_list(const char *path, struct sbx_why *why)
{
	cleanup_revset struct revset set;

	revset_init(&set);
	memset(trace, 0, sizeof(trace));
	return listfile_write(path, &set, CA_KEY(&ca), 60, why);
}

static void
test_is_on_disk(void **state)
{
	static const char *const paths[][2] = { { "list", "." },
		{ "folder/list", "folder" },
		{ "./folder/x/list", "folder/x" } };
	struct stat want;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkdir("folder/x", 0700), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(write_list(paths[i][0], NULL), SBX_OK);
		assert_string_equal(trace, "frd");
		assert_int_equal(stat(paths[i][1], &want), 0);
		assert_int_equal(synced.st_ino, want.st_ino);
	}
}

static void
test_folder_cannot_be_synced(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	folders_fail = true;
	assert_int_equal(write_list("list", &why), SBX_IO);
	assert_non_null(strstr(why.text, "list may be lost in a crash"));
	folders_fail = false;
}

static enum sbx_err
load(const char *path, struct sbx_why *why)
{
	cleanup_revset struct revset set;

	revset_init(&set);
	return listfile_load(path, ca.public, &set, why);
}

static uint64_t
issued_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct revocations head;

	assert_true(fd >= 0);
	assert_int_equal(revocations_open(fd, &head, NULL), SBX_OK);
	(void)close(fd);
	return head.issued_at;
}

/* The gate tells older from newer lists by this. */
static void
test_each_is_later(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(write_list("fast", NULL), SBX_OK);
		assert_int_equal(issued_at("fast"), NOW + i);
	}
	now = NOW + 100;
	assert_int_equal(write_list("fast", NULL), SBX_OK);
	assert_int_equal(issued_at("fast"), NOW + 100);
	now = NOW;
}

static void
test_clock_that_went_back(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(write_list("future", NULL), SBX_OK);
	now = NOW - 59;
	assert_int_equal(write_list("future", NULL), SBX_OK);
	assert_int_equal(issued_at("future"), NOW + 1);
	assert_int_equal(write_list("future", &why), SBX_STATE);
	assert_non_null(strstr(why.text, "issued 60 s from now"));
	assert_int_equal(issued_at("future"), NOW + 1);
	now = NOW;
}

/* What was revoked since may be missing in it. */
static void
test_ended(void **state)
{
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(write_list("ended", NULL), SBX_OK);
	now = NOW + 59;
	assert_int_equal(load("ended", NULL), SBX_OK);
	now = NOW + 60;
	assert_int_equal(load("ended", &why), SBX_REVOKED_STALE);
	assert_non_null(strstr(why.text, "has ended"));
	now = NOW;
}

static int
start(void **state)
{
	if (sodium_init() < 0)
		return -1;
	keypair_generate(&ca);
	return scratch_enter(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_on_disk),
		cmocka_unit_test(test_folder_cannot_be_synced),
		cmocka_unit_test(test_each_is_later),
		cmocka_unit_test(test_clock_that_went_back),
		cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, start, scratch_leave);
}
