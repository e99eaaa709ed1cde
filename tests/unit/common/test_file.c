/* SPDX-License-Identifier: ISC */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>

#include "common/cleanup.h"
#include "tests/unit/cases.h"

/*
 * Faults: the linker sends these calls here (module.am, --wrap).  An armed
 * fault hits once, after that many calls that pass.
 */
enum fault { NONE, WRITE_FULL, WRITE_ZERO, FSYNC, RENAME, FCHMOD };

static enum fault fault;
static int fault_after;
static bool short_writes, interrupt_writes;

static bool
hit(enum fault which)
{
	if (fault != which || fault_after-- > 0)
		return false;
	fault = NONE;
	return true;
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);

ssize_t
__wrap_write(int fd, const void *bytes, size_t n)
{
	if (hit(WRITE_ZERO))
		return 0;
	if (hit(WRITE_FULL)) {
		errno = ENOSPC;
		return -1;
	}
	if (interrupt_writes) {
		interrupt_writes = false;
		errno = EINTR;
		return -1;
	}
	return __real_write(fd, bytes, short_writes && n > 3 ? 3 : n);
}

int
__wrap_fsync(int fd)
{
	if (!hit(FSYNC))
		return __real_fsync(fd);
	errno = EIO;
	return -1;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	if (!hit(FCHMOD))
		return __real_fchmod(fd, mode);
	errno = EPERM;
	return -1;
}

int
__wrap_renameat(int from, const char *old, int to, const char *new)
{
	if (!hit(RENAME))
		return __real_renameat(from, old, to, new);
	errno = EXDEV;
	return -1;
}

/* Every test has a folder of its own, which must be empty when it ends. */
static char folder[64];
static int folder_fd = -1;

static int
make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)unlinkat(folder_fd, "f", 0);
	(void)close(folder_fd);
	fault = NONE;
	short_writes = interrupt_writes = false;
	return rmdir(folder); /* fails if anything else was left behind */
}

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
put(const char *name, mode_t mode, const char *text)
{
	cleanup_close int fd = openat(
	    folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(__real_fchmod(fd, mode), 0);
}

static void
assert_content(const char *name, const char *want)
{
	cleanup_buf struct buf b = BUF_INIT(100000);

	assert_int_equal(file_read(folder_fd, name, &b, NULL), SBX_OK);
	assert_string_equal(buf_text(&b), want);
}

static const struct {
	const char *name;
	mode_t mode, forbidden;
	enum sbx_err want;
	const char *why;
} mode_rows[] = {
	{ "private file", 0600, 077, SBX_OK, "" },
	{ "read-only file", 0400, 077, SBX_OK, "" },
	{ "file that all may read", 0644, 022, SBX_OK, "" },
	{ "file that all may run", 0755, 022, SBX_OK, "" },
	{ "secret that the group may read", 0640, 077, SBX_UNTRUSTED,
	    "(mode 0640): chmod go-rwx" },
	{ "secret that others may read", 0604, 077, SBX_UNTRUSTED, "go-rwx" },
	{ "secret that others may run", 0601, 077, SBX_UNTRUSTED, "go-rwx" },
	{ "file that the group may write", 0664, 022, SBX_UNTRUSTED,
	    "(mode 0664): chmod go-w " },
	{ "file that others may write", 0602, 022, SBX_UNTRUSTED, "go-w" },
};

static void
test_mode(void **state)
{
	const __typeof__(mode_rows[0]) *row = *state;
	cleanup_buf struct buf b = BUF_INIT(100);
	struct sbx_why why = { "" };

	put("f", row->mode, "text");
	assert_int_equal(
	    file_read_trusted(path_of("f"), getuid(), row->forbidden, &b, &why),
	    row->want);
	assert_string_equal(buf_text(&b), row->want == SBX_OK ? "text" : "");
	assert_non_null(strstr(why.text, row->why));
	if (row->want != SBX_OK)
		assert_non_null(strstr(why.text, path_of("f")));
}

enum kind { MISSING, LINK, BROKEN_LINK, FIFO, FOLDER, THROUGH_FILE };

static const struct {
	const char *name;
	enum kind kind;
	enum sbx_err trusted, plain; /* file_open_trusted, file_read */
} kind_rows[] = {
	{ "missing file", MISSING, SBX_NOT_FOUND, SBX_NOT_FOUND },
	{ "symbolic link", LINK, SBX_UNTRUSTED, SBX_UNREADABLE },
	{ "symbolic link to nothing", BROKEN_LINK, SBX_UNTRUSTED,
	    SBX_UNREADABLE },
	{ "FIFO that nobody writes", FIFO, SBX_UNTRUSTED, SBX_UNTRUSTED },
	{ "folder", FOLDER, SBX_UNTRUSTED, SBX_UNTRUSTED },
	{ "path through a file", THROUGH_FILE, SBX_UNREADABLE, SBX_UNREADABLE },
};

static void
test_kind(void **state)
{
	const __typeof__(kind_rows[0]) *row = *state;
	const char *name = row->kind == THROUGH_FILE ? "f/x" : "f";
	cleanup_buf struct buf b = BUF_INIT(100);
	struct sbx_why why = { "" };
	int fd = -1;

	if (row->kind == LINK)
		assert_int_equal(symlinkat("/etc/passwd", folder_fd, "f"), 0);
	if (row->kind == BROKEN_LINK)
		assert_int_equal(symlinkat("nowhere", folder_fd, "f"), 0);
	if (row->kind == FIFO)
		assert_int_equal(mkfifoat(folder_fd, "f", 0600), 0);
	if (row->kind == FOLDER)
		assert_int_equal(mkdirat(folder_fd, "f", 0700), 0);
	if (row->kind == THROUGH_FILE)
		put("f", 0600, "");
	assert_int_equal(
	    file_open_trusted(path_of(name), getuid(), 022, &fd, &why),
	    row->trusted);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(why.text, path_of(name)));
	assert_int_equal(file_read(folder_fd, name, &b, &why), row->plain);
	assert_non_null(strstr(why.text, name));
	assert_int_equal(buf_view(&b).len, 0);
	if (row->kind == FOLDER)
		assert_int_equal(unlinkat(folder_fd, "f", AT_REMOVEDIR), 0);
}

static const struct {
	const char *name;
	uid_t owner_of_file, trusted;
	enum sbx_err want;
} owner_rows[] = {
	{ "file of root for anyone", 0, 12345, SBX_OK },
	{ "file of root for root only", 0, FILE_NO_OWNER, SBX_OK },
	{ "file of its owner", 12345, 12345, SBX_OK },
	{ "file of somebody else", 12345, 12346, SBX_UNTRUSTED },
	{ "file of somebody for root only", 12345, FILE_NO_OWNER,
	    SBX_UNTRUSTED },
};

static void
test_owner(void **state)
{
	const __typeof__(owner_rows[0]) *row = *state;
	struct sbx_why why = { "" };
	cleanup_close int fd = -1;

	put("f", 0600, "");
	assert_int_equal(fchownat(folder_fd, "f", row->owner_of_file, 0, 0), 0);
	assert_int_equal(
	    file_open_trusted(path_of("f"), row->trusted, 022, &fd, &why),
	    row->want);
	assert_int_equal(fd >= 0, row->want == SBX_OK);
	if (row->want != SBX_OK)
		assert_non_null(strstr(why.text, "belongs to uid 12345"));
}

/* Without root a file of another owner has to be found, not made. */
static void
owner_without_root(void **state)
{
	int fd = -1;

	(void)state;
	put("f", 0600, "");
	assert_int_equal(
	    file_open_trusted(path_of("f"), getuid() + 1, 022, &fd, NULL),
	    SBX_UNTRUSTED);
	assert_int_equal(
	    file_open_trusted(path_of("f"), FILE_NO_OWNER, 022, &fd, NULL),
	    SBX_UNTRUSTED);
	assert_int_equal(fd, -1);
}

static void
read_stops_at_the_cap(void **state)
{
	cleanup_buf struct buf exact = BUF_INIT(5), less = BUF_INIT(4);
	struct sbx_why why = { "" };

	(void)state;
	put("f", 0600, "12345");
	assert_int_equal(file_read(folder_fd, "f", &exact, &why), SBX_OK);
	assert_int_equal(file_read(folder_fd, "f", &less, &why), SBX_TOO_LARGE);
	assert_string_equal(why.text, "f is larger than 4 bytes");
}

static void
endless_file_is_refused(void **state)
{
	cleanup_buf struct buf b = BUF_INIT(100000);
	cleanup_close int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(file_read_fd(fd, &b), SBX_TOO_LARGE);
}

static void
write_goes_on_after_short_writes(void **state)
{
	(void)state;
	short_writes = interrupt_writes = true;
	assert_int_equal(file_write_atomic(folder_fd, "f", 0644,
			     VIEW_STR("0123456789"), NULL),
	    SBX_OK);
	assert_content("f", "0123456789");
}

static void
write_replaces_and_sets_the_mode(void **state)
{
	mode_t saved = umask(077);
	struct stat st;

	(void)state;
	put("f", 0600, "something longer");
	assert_int_equal(
	    file_write_atomic(folder_fd, "f", 0644, VIEW_STR("new"), NULL),
	    SBX_OK);
	(void)umask(saved);
	assert_content("f", "new");
	assert_int_equal(fstatat(folder_fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(
	    file_write_atomic(folder_fd, "f", 0600, VIEW("", 0), NULL), SBX_OK);
	assert_content("f", "");
}

static void
write_replaces_a_link_and_not_its_target(void **state)
{
	struct stat st;

	(void)state;
	put("target", 0600, "old");
	assert_int_equal(symlinkat("target", folder_fd, "f"), 0);
	assert_int_equal(
	    file_write_atomic(folder_fd, "f", 0600, VIEW_STR("new"), NULL),
	    SBX_OK);
	assert_content("target", "old");
	assert_int_equal(fstatat(folder_fd, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(unlinkat(folder_fd, "target", 0), 0);
}

static const struct {
	const char *name;
	enum fault fault;
	int after;
	const char *why;
} fault_rows[] = {
	{ "disk is full", WRITE_FULL, 0, "No space left" },
	{ "disk is full in the middle", WRITE_FULL, 2, "No space left" },
	{ "nothing gets written", WRITE_ZERO, 1, "Input/output error" },
	{ "fsync fails", FSYNC, 0, "Input/output error" },
	{ "rename fails", RENAME, 0, "cross-device" },
	{ "chmod fails", FCHMOD, 0, "not permitted" },
};

/* The old file stays, and remove_folder sees that no other one does. */
static void
test_fault(void **state)
{
	const __typeof__(fault_rows[0]) *row = *state;
	struct sbx_why why = { "" };

	put("f", 0600, "old");
	short_writes = true;
	fault = row->fault;
	fault_after = row->after;
	assert_int_equal(file_write_atomic(folder_fd, "f", 0600,
			     VIEW_STR("0123456789"), &why),
	    SBX_IO);
	assert_int_equal(fault, NONE);
	assert_non_null(strstr(why.text, "cannot write f: "));
	assert_non_null(strstr(why.text, row->why));
	assert_content("f", "old");
}

static void
write_over_a_folder_fails(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(folder_fd, "d", 0700), 0);
	assert_int_equal(
	    file_write_atomic(folder_fd, "d", 0600, VIEW_STR("x"), NULL),
	    SBX_IO);
	assert_int_equal(unlinkat(folder_fd, "d", AT_REMOVEDIR), 0);
}

static void
write_into_a_missing_folder_fails(void **state)
{
	(void)state;
	assert_int_equal(
	    file_write_atomic(folder_fd, "d/f", 0600, VIEW_STR("x"), NULL),
	    SBX_IO);
}

static void
write_of_a_long_name_fails(void **state)
{
	char name[400];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(
	    file_write_atomic(folder_fd, name, 0600, VIEW_STR("x"), NULL),
	    SBX_TOO_LARGE);
	name[255] = '\0'; /* a good name, but not with something added */
	assert_int_equal(
	    file_write_atomic(folder_fd, name, 0600, VIEW_STR("x"), NULL),
	    SBX_IO);
}

static void
folders_are_made_on_the_way(void **state)
{
	struct stat st;
	mode_t saved;

	(void)state;
	assert_int_equal(file_mkdirs(path_of("a/b//c/"), 0700, NULL), SBX_OK);
	assert_int_equal(file_mkdirs(path_of("a/b/c"), 0755, NULL), SBX_OK);
	assert_int_equal(fstatat(folder_fd, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(unlinkat(folder_fd, "a/b/c", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(folder_fd, "a/b", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(folder_fd, "a", AT_REMOVEDIR), 0);
	saved = umask(077);
	assert_int_equal(file_mkdirs(path_of("a"), 0755, NULL), SBX_OK);
	(void)umask(saved);
	assert_int_equal(fstatat(folder_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(unlinkat(folder_fd, "a", AT_REMOVEDIR), 0);
}

static void
folders_are_not_files(void **state)
{
	struct sbx_why why = { "" };
	int fd = -1;

	(void)state;
	put("f", 0600, "");
	assert_int_equal(file_mkdirs(path_of("f"), 0700, &why), SBX_EXISTS);
	assert_non_null(strstr(why.text, path_of("f")));
	assert_int_equal(file_mkdirs(path_of("f/x"), 0700, &why), SBX_IO);
	assert_int_equal(file_mkdirs("", 0700, &why), SBX_BAD_VALUE);
	assert_int_equal(file_open_dir(folder_fd, "f", &fd, &why), SBX_IO);
	assert_int_equal(
	    file_open_dir(folder_fd, "none", &fd, &why), SBX_NOT_FOUND);
	assert_int_equal(unlinkat(folder_fd, "f", 0), 0);
	assert_int_equal(symlinkat(".", folder_fd, "f"), 0);
	assert_int_equal(file_open_dir(folder_fd, "f", &fd, &why), SBX_IO);
	assert_int_equal(fd, -1);
	assert_int_equal(file_open_dir(AT_FDCWD, folder, &fd, &why), SBX_OK);
	assert_int_equal(close(fd), 0);
}

static void
lock_excludes_until_closed(void **state)
{
	struct sbx_why why = { "" };
	struct stat st;
	int first = -1, second = -1;

	(void)state;
	assert_int_equal(
	    file_lock(folder_fd, "f", false, &first, &why), SBX_OK);
	assert_int_equal(fstat(first, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(
	    file_lock(folder_fd, "f", false, &second, &why), SBX_STATE);
	assert_int_equal(second, -1);
	assert_int_equal(close(first), 0);
	assert_int_equal(
	    file_lock(folder_fd, "f", true, &second, &why), SBX_OK);
	assert_int_equal(close(second), 0);
}

static void
lock_follows_no_link(void **state)
{
	int fd = -1;

	(void)state;
	assert_int_equal(symlinkat("target", folder_fd, "f"), 0);
	assert_int_equal(file_lock(folder_fd, "f", true, &fd, NULL), SBX_IO);
	assert_int_equal(fd, -1);
}

/*
 * The holder of the lock removes its file: who waited must not end up with a
 * lock on a file that nobody else will ever see.
 */
static void *
wait_for_lock(void *ret_fd)
{
	if (file_lock(folder_fd, "f", true, ret_fd, NULL) != SBX_OK)
		*(int *)ret_fd = -1;
	return NULL;
}

static bool
somebody_waits(const struct stat *st)
{
	cleanup_file FILE *locks = fopen("/proc/locks", "re");
	char line[256], inode[32];

	assert_non_null(locks);
	(void)snprintf(
	    inode, sizeof(inode), ":%lu ", (unsigned long)st->st_ino);
	while (fgets(line, sizeof(line), locks) != NULL) {
		if (strstr(line, "-> ") != NULL && strstr(line, inode) != NULL)
			return true;
	}
	return false;
}

static void
lock_on_a_removed_file_is_taken_again(void **state)
{
	int first = -1, second = -1, third = -1;
	struct stat st, named;
	pthread_t thread;

	(void)state;
	assert_int_equal(file_lock(folder_fd, "f", true, &first, NULL), SBX_OK);
	assert_int_equal(fstat(first, &st), 0);
	assert_int_equal(
	    pthread_create(&thread, NULL, wait_for_lock, &second), 0);
	while (!somebody_waits(&st))
		(void)sched_yield();
	assert_int_equal(unlinkat(folder_fd, "f", 0), 0);
	assert_int_equal(close(first), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(second >= 0);
	assert_int_equal(fstat(second, &st), 0);
	assert_int_equal(fstatat(folder_fd, "f", &named, 0), 0);
	assert_int_equal(st.st_ino, named.st_ino);
	assert_int_equal(
	    file_lock(folder_fd, "f", false, &third, NULL), SBX_STATE);
	assert_int_equal(close(second), 0);
}

int
main(void)
{
	CASE_ROWS(mode_rows, test_mode);
	CASE_ROWS(kind_rows, test_kind);
	if (getuid() == 0)
		CASE_ROWS(owner_rows, test_owner);
	else
		CASE(owner_without_root);
	CASE(read_stops_at_the_cap);
	CASE(endless_file_is_refused);
	CASE(write_goes_on_after_short_writes);
	CASE(write_replaces_and_sets_the_mode);
	CASE(write_replaces_a_link_and_not_its_target);
	CASE_ROWS(fault_rows, test_fault);
	CASE(write_over_a_folder_fails);
	CASE(write_into_a_missing_folder_fails);
	CASE(write_of_a_long_name_fails);
	CASE(folders_are_made_on_the_way);
	CASE(folders_are_not_files);
	CASE(lock_excludes_until_closed);
	CASE(lock_follows_no_link);
	CASE(lock_on_a_removed_file_is_taken_again);
	for (size_t i = 0; i < case_count; i++) {
		cases[i].setup_func = make_folder;
		cases[i].teardown_func = remove_folder;
	}
	return cases_run("file");
}
