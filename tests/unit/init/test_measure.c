/* SPDX-License-Identifier: ISC */
#include "tests/unit/cases.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "init/measure.h"

#define KIB 1024

struct folder {
	char path[64];
	char proc[64]; /* in which we are the only process */
	int fd;
};

static int
link_self(const struct folder *folder)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/1", folder->proc);
	return symlink("/proc/self", path);
}

static int
make(void **state)
{
	static struct folder folder;

	(void)snprintf(
	    folder.path, sizeof(folder.path), "/tmp/test_measure.XXXXXX");
	(void)snprintf(
	    folder.proc, sizeof(folder.proc), "/tmp/test_measure.XXXXXX");
	if (mkdtemp(folder.path) == NULL || mkdtemp(folder.proc) == NULL)
		return -1;
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &folder;
	return folder.fd < 0 || link_self(&folder) < 0 ? -1 : 0;
}

/* Everything in it has one of these names, at whatever depth. */
static int
unmake(void **state)
{
	static const char *const names[] = { "file", "name", "link" };
	struct folder *folder = *state;
	int fd = folder->fd;
	char path[80];

	for (;;) {
		int below = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		for (size_t i = 0; i < LENGTH(names); i++)
			(void)unlinkat(fd, names[i], 0);
		if (below < 0)
			break;
		(void)close(fd);
		fd = below;
	}
	for (;;) {
		int above =
		    openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		(void)close(fd);
		fd = above;
		if (fd < 0 || unlinkat(fd, "d", AT_REMOVEDIR) < 0)
			break;
	}
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/1", folder->proc);
	(void)unlink(path);
	return rmdir(folder->proc) | rmdir(folder->path);
}

static int
write_file(const struct folder *folder, const char *name, size_t size)
{
	int fd = openat(
	    folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char block[KIB];

	memset(block, 'x', sizeof(block));
	assert_true(fd >= 0);
	for (size_t i = 0; i < size / KIB; i++)
		assert_int_equal(write(fd, block, KIB), KIB);
	/* Blocks may be counted only once they have a place. */
	assert_int_equal(fsync(fd), 0);
	return fd;
}

static void
assert_measure(
    const struct folder *folder, uint64_t least, uint64_t most, uint64_t files)
{
	struct measure got;

	assert_true(measure_folder(folder->path, folder->proc, &got));
	assert_in_range(got.bytes, least, most);
	assert_int_equal(got.files, files);
}

static void
test_empty(void **state)
{
	assert_measure(*state, 0, 0, 0);
}

static void
test_file(void **state)
{
	cleanup_close int fd = write_file(*state, "file", 256 * KIB);

	assert_measure(*state, 256 * KIB, 300 * KIB, 1);
}

static void
test_names(void **state)
{
	const struct folder *folder = *state;
	cleanup_close int fd = write_file(folder, "file", 256 * KIB);

	assert_int_equal(linkat(folder->fd, "file", folder->fd, "name", 0), 0);
	assert_measure(folder, 256 * KIB, 300 * KIB, 1);
}

static void
test_hole(void **state)
{
	cleanup_close int fd = write_file(*state, "file", 0);

	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	assert_measure(*state, 0, 64 * KIB, 1);
}

static void
test_link(void **state)
{
	const struct folder *folder = *state;

	assert_int_equal(symlinkat("/usr", folder->fd, "link"), 0);
	assert_measure(folder, 0, 64 * KIB, 1);
}

/* Two descriptors of one file. */
static void
test_deleted(void **state)
{
	const struct folder *folder = *state;
	cleanup_close int fd = write_file(folder, "file", 256 * KIB);
	cleanup_close int again = dup(fd);

	assert_int_equal(unlinkat(folder->fd, "file", 0), 0);
	assert_measure(folder, 256 * KIB, 300 * KIB, 1);
}

static void
make_depth(const struct folder *folder, unsigned depth)
{
	int fd = dup(folder->fd);

	for (unsigned i = 0; i < depth; i++) {
		int below;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		below = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		(void)close(fd);
		fd = below;
	}
	(void)close(fd);
}

static void
test_deep(void **state)
{
	const struct folder *folder = *state;
	struct measure got;

	make_depth(folder, 600);
	assert_true(measure_folder(folder->path, folder->proc, &got));
	assert_int_equal(got.files, 600);
}

static void
test_too_deep(void **state)
{
	const struct folder *folder = *state;
	struct measure got;

	make_depth(folder, MEASURE_DEPTH_MAX + 2);
	assert_false(measure_folder(folder->path, folder->proc, &got));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_empty),
		IN_FOLDER(test_file),
		IN_FOLDER(test_names),
		IN_FOLDER(test_hole),
		IN_FOLDER(test_link),
		IN_FOLDER(test_deleted),
		IN_FOLDER(test_deep),
		IN_FOLDER(test_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
