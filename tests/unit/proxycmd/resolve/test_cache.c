/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "proxycmd/resolve/cache.h"

#define NOW 1000000000

static char dir[] = "/tmp/test_resolve_cache.XXXXXX";
static char cache[64];
static struct alias alias, other;

static bool
exists(const char *name)
{
	char path[512];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", cache, name);
	return lstat(path, &st) == 0;
}

static void
expect_file(const char *name, const char *want)
{
	cleanup_buf struct buf text = BUF_INIT(4096);
	char path[400];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", cache, alias.text, name);
	assert_int_equal(file_read(AT_FDCWD, path, &text, NULL), SBX_OK);
	assert_string_equal(buf_text(&text), want);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
put(const struct alias *name, uint64_t not_after)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_buf struct buf text = BUF_INIT(SESSION_FILE_MAX);
	struct session session = { .user = "sandbox", .not_after = not_after };
	struct credentials credentials = { .key = VIEW_STR("key\n"),
		.certificate = VIEW_STR("cert\n"),
		.known_hosts = VIEW_STR("hosts\n") };

	(void)snprintf(session.id, sizeof(session.id), "%s", name->id);
	session_put(&session, &text);
	credentials.session = buf_view(&text);
	assert_int_equal(place_open(cache, name, &place, NULL), SBX_OK);
	assert_int_equal(place_lock(&place, 0, NULL, NULL, NULL), SBX_OK);
	assert_int_equal(place_put(&place, &credentials, NULL), SBX_OK);
}

static void
test_put_and_drop(void **state)
{
	cleanup_place struct place place = PLACE_INIT;
	struct session session;
	struct stat st;

	(void)state;
	put(&alias, NOW);
	expect_file(CACHE_KEY, "key\n");
	expect_file(CACHE_CERT, "cert\n");
	expect_file(CACHE_KNOWN_HOSTS, "hosts\n");
	assert_int_equal(session_read(cache, &alias, &session), SBX_OK);
	assert_int_equal(place_open(cache, &alias, &place, NULL), SBX_OK);
	assert_int_equal(fstatat(place.cache_fd, alias.text, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(place_drop(&place));
	assert_false(place_drop(&place));
	assert_false(exists(alias.text));
}

static void
test_a_key_of_the_users_own(void **state)
{
	cleanup_place struct place place = PLACE_INIT;
	struct credentials credentials = { .link = "/home/me/.ssh/id_x",
		.public_key = VIEW_STR("public\n"),
		.certificate = VIEW_STR("cert\n"),
		.known_hosts = VIEW_STR("hosts\n"),
		.session = VIEW_STR("session\n") };
	char target[64] = "", path[400];

	(void)state;
	assert_int_equal(place_open(cache, &alias, &place, NULL), SBX_OK);
	assert_int_equal(place_put(&place, &credentials, NULL), SBX_OK);
	(void)snprintf(
	    path, sizeof(path), "%s/%s/" CACHE_KEY, cache, alias.text);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/home/me/.ssh/id_x");
	expect_file(CACHE_PUBLIC_KEY, "public\n");
	/* Back to keys of ours: nothing of the other one stays. */
	credentials.link = NULL;
	credentials.public_key = VIEW("", 0);
	credentials.key = VIEW_STR("key\n");
	assert_int_equal(place_put(&place, &credentials, NULL), SBX_OK);
	expect_file(CACHE_KEY, "key\n");
	assert_int_equal(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/" CACHE_PUBLIC_KEY, alias.text);
	assert_false(exists(path));
	assert_true(place_drop(&place));
}

static void
test_a_cache_that_others_can_write(void **state)
{
	cleanup_place struct place place = PLACE_INIT;
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(chmod(cache, 0770), 0);
	assert_int_equal(
	    place_open(cache, &alias, &place, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, cache));
	assert_int_equal(chmod(cache, 0700), 0);
}

static void
test_a_folder_that_others_can_write(void **state)
{
	cleanup_place struct place place = PLACE_INIT;
	struct credentials credentials = { .key = VIEW_STR("key\n"),
		.certificate = VIEW_STR("cert\n"),
		.known_hosts = VIEW_STR("hosts\n"),
		.session = VIEW_STR("session\n") };
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(place_open(cache, &alias, &place, NULL), SBX_OK);
	assert_int_equal(mkdirat(place.cache_fd, alias.text, 0700), 0);
	assert_int_equal(fchmodat(place.cache_fd, alias.text, 0777, 0), 0);
	assert_int_equal(place_put(&place, &credentials, &why), SBX_UNTRUSTED);
	assert_true(place_drop(&place));
}

static void
test_nothing_stays_after_a_failure(void **state)
{
	cleanup_place struct place place = PLACE_INIT;
	struct credentials credentials = { .key = VIEW_STR("key\n"),
		.certificate = VIEW_STR("cert\n"),
		.known_hosts = VIEW_STR("hosts\n"),
		.session = VIEW_STR("session\n") };
	char blocker[320];

	(void)state;
	assert_int_equal(place_open(cache, &alias, &place, NULL), SBX_OK);
	assert_int_equal(mkdirat(place.cache_fd, alias.text, 0700), 0);
	(void)snprintf(
	    blocker, sizeof(blocker), "%s/" CACHE_KNOWN_HOSTS, alias.text);
	assert_int_equal(mkdirat(place.cache_fd, blocker, 0700), 0);
	assert_int_equal(place_put(&place, &credentials, NULL), SBX_IO);
	(void)snprintf(
	    blocker, sizeof(blocker), "%s/" CACHE_SESSION, alias.text);
	assert_false(exists(blocker));
	(void)snprintf(
	    blocker, sizeof(blocker), "%s/" CACHE_KNOWN_HOSTS, alias.text);
	assert_int_equal(unlinkat(place.cache_fd, blocker, AT_REMOVEDIR), 0);
	assert_true(place_drop(&place));
	/* With its temporary files, too, or the folder could not go. */
	assert_false(exists(alias.text));
}

static void
test_one_lock(void **state)
{
	cleanup_place struct place first = PLACE_INIT, second = PLACE_INIT;
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(place_open(cache, &alias, &first, NULL), SBX_OK);
	assert_int_equal(place_open(cache, &alias, &second, NULL), SBX_OK);
	assert_int_equal(place_lock(&first, 0, NULL, NULL, NULL), SBX_OK);
	assert_int_equal(place_lock(&second, 0, NULL, NULL, &why), SBX_TIMEOUT);
	assert_non_null(strstr(why.text, alias.text));
	place_close(&first);
	assert_int_equal(place_lock(&second, 0, NULL, NULL, NULL), SBX_OK);
	place_close(&second);
	assert_false(exists(".lock-run-1.sandbox"));
}

/* Many at once: never two holders, whatever becomes of the lock's file. */
static int holders, most, turns;

static void *
hold(void *context)
{
	(void)context;
	for (int i = 0; i < 50; i++) {
		cleanup_place struct place place = PLACE_INIT;
		int now;

		if (place_open(cache, &alias, &place, NULL) != SBX_OK ||
		    place_lock(&place, 60, NULL, NULL, NULL) != SBX_OK)
			return NULL;
		now = __atomic_add_fetch(&holders, 1, __ATOMIC_SEQ_CST);
		if (now > most)
			most = now;
		(void)sched_yield();
		turns++;
		(void)__atomic_sub_fetch(&holders, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void
test_many_at_once(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, hold, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(most, 1);
	assert_int_equal(turns, 200);
	assert_false(exists(".lock-run-1.sandbox"));
}

static void
test_stamps(void **state)
{
	cleanup_place struct place place = PLACE_INIT;
	struct stamp none, first, again, second;

	(void)state;
	assert_int_equal(place_open(cache, &alias, &place, NULL), SBX_OK);
	none = place_stamp(&place);
	put(&alias, NOW);
	first = place_stamp(&place);
	again = place_stamp(&place);
	put(&alias, NOW);
	second = place_stamp(&place);
	assert_true(stamp_eq(&first, &again));
	assert_false(stamp_eq(&none, &first));
	assert_false(stamp_eq(&first, &second));
	assert_true(place_drop(&place));
}

static void
test_prune(void **state)
{
	cleanup_place struct place place = PLACE_INIT, busy = PLACE_INIT;

	(void)state;
	put(&alias, NOW - 200);
	put(&other, NOW - 200);
	assert_int_equal(place_open(cache, &alias, &place, NULL), SBX_OK);
	place_prune(&place, NOW, 300);
	assert_true(exists(other.text));
	/* Not while somebody is at work on it, and never its own. */
	assert_int_equal(place_open(cache, &other, &busy, NULL), SBX_OK);
	assert_int_equal(place_lock(&busy, 0, NULL, NULL, NULL), SBX_OK);
	place_prune(&place, NOW, 100);
	assert_true(exists(other.text));
	place_close(&busy);
	place_prune(&place, NOW, 100);
	assert_false(exists(other.text));
	assert_false(exists(".lock-run-2.sandbox"));
	assert_true(exists(alias.text));
	assert_true(place_drop(&place));
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL ||
	    name_parse_alias("run-1.sandbox", "sandbox", &alias, NULL) !=
		SBX_OK ||
	    name_parse_alias("run-2.sandbox", "sandbox", &other, NULL) !=
		SBX_OK)
		return -1;
	(void)snprintf(cache, sizeof(cache), "%s/a/b", dir);
	return file_mkdirs(cache, 0700, NULL) != SBX_OK;
}

static int
tear_down(void **state)
{
	char parent[64];

	(void)state;
	(void)snprintf(parent, sizeof(parent), "%s/a", dir);
	return rmdir(cache) + rmdir(parent) + rmdir(dir);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_and_drop),
		cmocka_unit_test(test_a_key_of_the_users_own),
		cmocka_unit_test(test_a_cache_that_others_can_write),
		cmocka_unit_test(test_a_folder_that_others_can_write),
		cmocka_unit_test(test_nothing_stays_after_a_failure),
		cmocka_unit_test(test_one_lock),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_prune),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
