/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "proxycmd/hosts.h"
#include "proxycmd/session.h"

#define NOW 1000000000

struct row {
	const char *name;
	const char *user;
	bool good;
};

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct row rows[] = {
	{ "a plain user", "sandbox", true },
	{ "an underscore first", "_svc-1", true },
	{ "one letter", "a", true },
	{ "nothing", "", false },
	{ "a dash first", "-oProxyCommand", false },
	{ "an id and a key", "sbx_1#dtn_A1b2", true },
	{ "all that tokens are made of", "AZaz09._~+/=-@:,#!*?[]^", true },
	{ "a blank", "a b", false },
	{ "a tab", "a\tb", false },
	{ "a newline", "a\nb", false },
	{ "an escape", "a\033[2J", false },
	{ "not ASCII", "a\303\244", false },
	{ "a DEL", "a\177", false },
	{ "a token of ssh", "a%h", false },
	{ "a variable of ssh", "a${HOME}", false },
	{ "a variable of the shell", "$HOME", false },
	{ "a double quote", "a\"", false },
	{ "a quote", "a'", false },
	{ "a back quote", "a`", false },
	{ "a backslash", "a\\", false },
	{ "a command", "a;b", false },
	{ "a way out of the folder of a ControlPath", "../../run/x", false },
	{ "one that begins further down", "a/../../x", false },
	{ "a whole path", "/run/x", false },
	{ "the folder above", "..", false },
	{ "the folder above, at the end", "a/..", false },
	{ "dots at the end", "a..", true },
	{ "a pipe", "a|b", false },
	{ "255 bytes", X50 X50 X50 X50 X50 "abcde", true },
	{ "256 bytes", X50 X50 X50 X50 X50 "abcdef", false },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_user(void **state)
{
	const struct row *row = *state;

	assert_int_equal(hosts_is_user(row->user), row->good);
}

static char dir[] = "/tmp/test_hosts.XXXXXX";
static int dir_fd = -1;

static void
put_session(
    const char *alias, const char *id, const char *user, uint64_t not_after)
{
	cleanup_buf struct buf text = BUF_INIT(SESSION_FILE_MAX);
	struct session session = { .running = true, .not_after = not_after };
	char path[300];

	(void)snprintf(session.id, sizeof(session.id), "%s", id);
	(void)snprintf(session.user, sizeof(session.user), "%s", user);
	session_put(&session, &text);
	assert_true(mkdirat(dir_fd, alias, 0700) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s/session", alias);
	(void)unlinkat(dir_fd, path, 0);
	assert_int_equal(
	    file_write_atomic(dir_fd, path, 0600, buf_view(&text), NULL),
	    SBX_OK);
}

static void
drop(const char *alias)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/session", alias);
	(void)unlinkat(dir_fd, path, 0);
	(void)unlinkat(dir_fd, alias, AT_REMOVEDIR);
}

static void
expect(const char *want)
{
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	const char *hosts;
	struct stat st;

	assert_int_equal(hosts_update(dir, dir_fd, NOW, NULL), SBX_OK);
	assert_int_equal(file_read(dir_fd, CACHE_HOSTS, &text, NULL), SBX_OK);
	hosts = strchr(buf_text(&text), '\n') + 1;
	assert_string_equal(hosts, want);
	assert_int_equal(fstatat(dir_fd, CACHE_HOSTS, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
}

static void
test_the_file(void **state)
{
	(void)state;
	expect("");
	put_session("run-2.sandbox", "run-2", "sandbox", NOW);
	put_session("run-10.sandbox", "run-10", "tok_en-1", NOW + 60);
	put_session("a.fabro.sandbox", "a", "sandbox", NOW - HOSTS_KEEP);
	put_session("b.box.example", "b", "sandbox", NOW + 60);
	put_session("old.sandbox", "old", "sandbox", NOW - HOSTS_KEEP - 1);
	/* Not to be trusted with a place in a configuration file. */
	put_session("evil.sandbox", "evil", "x%h", NOW + 60);
	put_session("liar.sandbox", "other", "sandbox", NOW + 60);
	assert_int_equal(mkdirat(dir_fd, "empty.sandbox", 0700), 0);
	assert_int_equal(mkdirat(dir_fd, "No Alias", 0700), 0);
	expect("Host a.fabro.sandbox\n"
	       "Host b.box.example\n"
	       "Host evil.sandbox\n"
	       "Host run-10.sandbox\n"
	       "    User \"tok_en-1\"\n"
	       "Host run-2.sandbox\n");
	drop("run-10.sandbox");
	drop("evil.sandbox");
	expect("Host a.fabro.sandbox\n"
	       "Host b.box.example\n"
	       "Host run-2.sandbox\n");
}

static void
put_list(const char *suffix, bool complete, const char *ids)
{
	assert_int_equal(
	    hosts_put_listed(dir_fd, suffix, complete, VIEW_STR(ids), NULL),
	    SBX_OK);
}

/* What brokers list, beside what the cache knows. */
static void
test_lists(void **state)
{
	(void)state;
	drop("a.fabro.sandbox");
	drop("b.box.example");
	drop("run-2.sandbox");
	drop("liar.sandbox");
	put_session("known.sandbox", "known", "tok#en", NOW + 60);
	put_session("ended.sandbox", "ended", "sandbox", NOW - 60);
	put_session("x.prod.sandbox", "x", "sandbox", NOW - 60);
	put_list("sandbox", true, "new\nknown\n../evil\n\nA B\n");
	/* A name that ended is kept only where nobody knows better. */
	expect("Host known.sandbox\n"
	       "    User \"tok#en\"\n"
	       "Host new.sandbox\n");
	put_list("prod.sandbox", false, "y\n");
	expect("Host known.sandbox\n"
	       "    User \"tok#en\"\n"
	       "Host new.sandbox\n"
	       "Host x.prod.sandbox\n"
	       "Host y.prod.sandbox\n");
	put_list("sandbox", false, "new\n");
	put_list("prod.sandbox", true, "");
	expect("Host ended.sandbox\n"
	       "Host known.sandbox\n"
	       "    User \"tok#en\"\n"
	       "Host new.sandbox\n");
	(void)unlinkat(dir_fd, HOSTS_LISTED "sandbox", 0);
	(void)unlinkat(dir_fd, HOSTS_LISTED "prod.sandbox", 0);
	drop("ended.sandbox");
	drop("x.prod.sandbox");
	drop("known.sandbox");
	expect("");
}

static void
test_what_is_right_is_left_alone(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(hosts_update(dir, dir_fd, NOW, NULL), SBX_OK);
	assert_int_equal(fstatat(dir_fd, CACHE_HOSTS, &before, 0), 0);
	assert_int_equal(hosts_update(dir, dir_fd, NOW, NULL), SBX_OK);
	assert_int_equal(fstatat(dir_fd, CACHE_HOSTS, &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
overwrite(const char *text)
{
	(void)unlinkat(dir_fd, CACHE_HOSTS, 0);
	if (text != NULL)
		assert_int_equal(file_write_atomic(dir_fd, CACHE_HOSTS, 0400,
				     VIEW_STR(text), NULL),
		    SBX_OK);
}

/* ssh would stop at it, whatever host it is for. */
static void
test_damage(void **state)
{
	static const struct timespec when[] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = 1000, .tv_nsec = 1 } };
	char path[64];
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/" CACHE_HOSTS, dir);
	put_list("sandbox", true, "a\n");
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(hosts_update(dir, dir_fd, NOW, NULL), SBX_OK);
		assert_false(hosts_heal(dir, NOW));
		overwrite(i == 0 ? "Host\n" : i == 1 ? "" : NULL);
		if (i == 2)
			assert_int_equal(mkfifo(path, 0400), 0);
		if (i == 3)
			assert_int_equal(symlink("nowhere", path), 0);
		if (i == 4)
			assert_int_equal(mkdir(path, 0400), 0);
		if (i >= 6)
			assert_int_equal(
			    hosts_update(dir, dir_fd, NOW, NULL), SBX_OK);
		if (i == 6)
			assert_int_equal(chmod(path, 0666), 0);
		if (i == 7)
			assert_int_equal(utimensat(AT_FDCWD, path, when, 0), 0);
		if (i == 8 &&
		    (geteuid() != 0 || chown(path, 12345, 12345) != 0))
			continue;
		/* One that is gone harms nobody. */
		if (i == 5)
			assert_false(hosts_heal(dir, NOW));
		if (i == 5)
			continue;
		assert_true(hosts_heal(dir, NOW));
		assert_int_equal(lstat(path, &st), 0);
		assert_true(hosts_is_sound(&st, geteuid()));
		expect("Host a.sandbox\n");
	}
	/* One that cannot be made anew is better gone. */
	overwrite("Host\n");
	assert_int_equal(unlinkat(dir_fd, HOSTS_LOCK, 0), 0);
	assert_int_equal(mkdirat(dir_fd, HOSTS_LOCK, 0700), 0);
	assert_false(hosts_heal(dir, NOW));
	assert_int_equal(lstat(path, &st), -1);
	assert_int_equal(unlinkat(dir_fd, HOSTS_LOCK, AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(dir_fd, HOSTS_LISTED "sandbox", 0), 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	return dir_fd < 0;
}

static int
tear_down(void **state)
{
	static const char *const all[] = { "run-2.sandbox", "run-10.sandbox",
		"a.fabro.sandbox", "b.box.example", "old.sandbox",
		"evil.sandbox", "liar.sandbox", "empty.sandbox", "No Alias" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		drop(all[i]);
	(void)unlinkat(dir_fd, CACHE_HOSTS, 0);
	(void)unlinkat(dir_fd, HOSTS_LOCK, 0);
	(void)close(dir_fd);
	return rmdir(dir);
}

static void
test_set_listed(void **state)
{
	(void)state;
	assert_int_equal(hosts_put_listed(dir_fd, "drop", true,
			     VIEW_STR("a-1\na\nb-2\n"), NULL),
	    SBX_OK);
	assert_true(hosts_set_listed(dir_fd, "drop", "a", false));
	expect("Host a-1.drop\nHost b-2.drop\n");
	assert_false(hosts_set_listed(dir_fd, "drop", "a", false));
	assert_false(hosts_set_listed(dir_fd, "drop", "b", false));
	assert_false(hosts_set_listed(dir_fd, "none", "a", false));
	assert_true(hosts_set_listed(dir_fd, "drop", "b-2", false));
	assert_true(hosts_set_listed(dir_fd, "drop", "a-1", false));
	expect("");
	assert_true(hosts_set_listed(dir_fd, "drop", "c", true));
	assert_false(hosts_set_listed(dir_fd, "drop", "c", true));
	expect("Host c.drop\n");
	/* What the first line says is no id. */
	assert_false(hosts_set_listed(dir_fd, "drop", "all", false));
	assert_false(hosts_set_listed(dir_fd, "drop", "some", false));
	assert_true(hosts_set_listed(dir_fd, "drop", "all", true));
	expect("Host all.drop\nHost c.drop\n");
	assert_true(hosts_set_listed(dir_fd, "drop", "all", false));
	assert_true(hosts_set_listed(dir_fd, "new", "d", true));
	expect("Host c.drop\nHost d.new\n");
	assert_int_equal(unlinkat(dir_fd, HOSTS_LISTED "new", 0), 0);
	assert_int_equal(unlinkat(dir_fd, HOSTS_LISTED "drop", 0), 0);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_the_file),
		cmocka_unit_test(test_what_is_right_is_left_alone),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_set_listed),
		cmocka_unit_test(test_damage),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_user, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
