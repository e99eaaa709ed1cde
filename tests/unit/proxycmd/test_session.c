/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/file.h"
#include "proxycmd/session.h"

#define ALIAS "run-1234.sandbox"
#define HEAD "version=1\nid=run-1234\nuser=sandbox\nstate=running\n"
#define TAIL "not_after=1000\nsingle_use=no\n" FROM
#define FROM "broker=\norigin=\nincarnation=00ff\n"
#define LONG64 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct row {
	const char *name;
	struct view bytes;
	enum sbx_err want;
};

#define ROW(name, bytes, want)                                              \
	{                                                                   \
		name, { (const uint8_t *)(bytes), sizeof(bytes) - 1 }, want \
	}

static const struct row rows[] = {
	ROW("whole", HEAD TAIL "endpoint=unix:/run/x.sock\n", SBX_OK),
	ROW("no endpoint", HEAD TAIL, SBX_OK),
	ROW("a shell that was tried", HEAD TAIL "shell=tried\n", SBX_OK),
	ROW("a shell that was not", HEAD TAIL "shell=no\n", SBX_BAD_VALUE),
	ROW("other order", TAIL HEAD, SBX_OK),
	ROW("empty file", "", SBX_BAD_VALUE),
	ROW("cut in the last line", HEAD FROM "not_after=1000\nsingle_use=no",
	    SBX_BAD_VALUE),
	ROW("key missing", HEAD FROM "not_after=1000\n", SBX_BAD_VALUE),
	ROW("version missing", "id=run-1234\nuser=u\nstate=running\n" TAIL,
	    SBX_BAD_VALUE),
	ROW("later version",
	    "version=2\nid=run-1234\nuser=u\nstate=running\n" TAIL,
	    SBX_BAD_VALUE),
	ROW("key twice", HEAD TAIL "id=run-1234\n", SBX_BAD_VALUE),
	ROW("unknown key", HEAD TAIL "colour=red\n", SBX_BAD_VALUE),
	ROW("line without =", HEAD TAIL "endpoint\n", SBX_BAD_VALUE),
	ROW("empty line", HEAD "\n" TAIL, SBX_BAD_VALUE),
	ROW("NUL byte", HEAD TAIL "endpoint=unix:/a\0b\n", SBX_BAD_VALUE),
	ROW("carriage return", HEAD TAIL "endpoint=unix:/a\r\n", SBX_BAD_VALUE),
	ROW("id of another sandbox",
	    "version=1\nid=run-1\nuser=u\nstate=running\n" TAIL, SBX_BAD_VALUE),
	ROW("id that is none",
	    "version=1\nid=../x\nuser=u\nstate=running\n" TAIL, SBX_BAD_VALUE),
	ROW("empty user", "version=1\nid=run-1234\nuser=\nstate=running\n" TAIL,
	    SBX_BAD_VALUE),
	ROW("long user",
	    "version=1\nid=run-1234\nuser=" LONG64 LONG64 LONG64 LONG64
	    "\nstate=running\n" TAIL,
	    SBX_BAD_VALUE),
	ROW("time is no number", HEAD FROM "not_after=soon\nsingle_use=no\n",
	    SBX_BAD_VALUE),
	ROW("time is negative", HEAD FROM "not_after=-1\nsingle_use=no\n",
	    SBX_BAD_VALUE),
	ROW("time overflows",
	    HEAD FROM "not_after=18446744073709551616\nsingle_use=no\n",
	    SBX_BAD_VALUE),
	ROW("local_kex is neither", HEAD "local_kex=perhaps\n" TAIL,
	    SBX_BAD_VALUE),
	ROW("single_use is neither",
	    HEAD FROM "not_after=1\nsingle_use=maybe\n", SBX_BAD_VALUE),
	ROW("empty endpoint", HEAD TAIL "endpoint=\n", SBX_BAD_VALUE),
	ROW("endpoint with a blank and another letter",
	    HEAD TAIL "endpoint=unix:/a \303\274\n", SBX_OK),
	ROW("endpoint with a tab", HEAD TAIL "endpoint=unix:/a\tb\n",
	    SBX_BAD_VALUE),
	ROW("endpoint with a DEL", HEAD TAIL "endpoint=unix:/a\177b\n",
	    SBX_BAD_VALUE),
	ROW("long endpoint",
	    HEAD TAIL
	    "endpoint=" LONG64 LONG64 LONG64 LONG64 LONG64 LONG64 LONG64 LONG64
	    "\n",
	    SBX_BAD_VALUE),
	ROW("files", HEAD TAIL "file=id_ed25519\nfile=known_hosts\n", SBX_OK),
	ROW("a file of another name", HEAD TAIL "file=../x\n", SBX_BAD_VALUE),
	ROW("no incarnation is told",
	    HEAD "not_after=1000\nsingle_use=no\nbroker=\norigin=\n"
		 "incarnation=\n",
	    SBX_OK),
	ROW("an incarnation with a blank",
	    HEAD "not_after=1000\nsingle_use=no\nbroker=\norigin=\n"
		 "incarnation=a b\n",
	    SBX_BAD_VALUE),
	ROW("nine endpoints",
	    HEAD TAIL "endpoint=a\nendpoint=a\nendpoint=a\nendpoint=a\n"
		      "endpoint=a\nendpoint=a\nendpoint=a\nendpoint=a\n"
		      "endpoint=a\n",
	    SBX_BAD_VALUE),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static char cache[] = "/tmp/test_session.XXXXXX";
static struct alias alias;
static int cache_fd = -1, alias_fd = -1;

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(cache) == NULL ||
	    name_parse_alias(ALIAS, "sandbox", &alias, NULL) != SBX_OK ||
	    file_open_dir(AT_FDCWD, cache, &cache_fd, NULL) != SBX_OK ||
	    mkdirat(cache_fd, ALIAS, 0700) != 0)
		return -1;
	return file_open_dir(cache_fd, ALIAS, &alias_fd, NULL) == SBX_OK ? 0
									 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlinkat(alias_fd, "session", 0);
	(void)close(alias_fd);
	(void)unlinkat(cache_fd, ALIAS, AT_REMOVEDIR);
	(void)close(cache_fd);
	return rmdir(cache);
}

static void
write_session(struct view bytes, mode_t mode)
{
	assert_int_equal(
	    file_write_atomic(alias_fd, "session", mode, bytes, NULL), SBX_OK);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct session session;

	write_session(row->bytes, 0600);
	assert_int_equal(session_read(cache, &alias, &session), row->want);
}

static void
test_none(void **state)
{
	struct session session;

	(void)state;
	(void)unlinkat(alias_fd, "session", 0);
	assert_int_equal(session_read(cache, &alias, &session), SBX_NOT_FOUND);
}

static void
test_written_then_read(void **state)
{
	struct session in = { .id = "run-1234",
		.user = "sandbox",
		.incarnation = "00000000000000ff",
		.running = true,
		.not_after = UINT64_MAX,
		.single_use = true,
		.local_kex = true,
		.shell_tried = true,
		.broker = "unix:/run/a b",
		.origin = "1.000000002,unix:/run/a b",
		.file = { [SESSION_CERT] = true, [SESSION_KNOWN_HOSTS] = true },
		.endpoint_count = 2,
		.endpoint = { "unix:/run/x", "tcp://[::1]:22" } };
	struct session out;
	cleanup_buf struct buf text = BUF_INIT(SESSION_FILE_MAX);

	(void)state;
	session_put(&in, &text);
	assert_int_equal(buf_error(&text), SBX_OK);
	write_session(buf_view(&text), 0600);
	assert_int_equal(session_read(cache, &alias, &out), SBX_OK);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void
test_any_other_state_is_not_running(void **state)
{
	struct session session;

	(void)state;
	write_session(VIEW_STR("version=1\nid=run-1234\nuser=u\n"
			       "state=stopping\n" TAIL),
	    0600);
	assert_int_equal(session_read(cache, &alias, &session), SBX_OK);
	assert_false(session.running);
}

static void
write_file(const char *name, const char *text)
{
	static const struct timespec times[] = { { .tv_sec = 1 },
		{ .tv_sec = 1 } };

	assert_int_equal(
	    file_write_atomic(alias_fd, name, 0400, VIEW_STR(text), NULL),
	    SBX_OK);
	/* hosts.conf is known by that. */
	assert_int_equal(utimensat(alias_fd, name, times, 0), 0);
}

/* Each in its turn gone, then empty, then back. */
static void
test_files(void **state)
{
	static const char *const names[] = { CACHE_KEY, CACHE_PUBLIC_KEY,
		CACHE_CERT, CACHE_KNOWN_HOSTS, "../" CACHE_HOSTS };
	const size_t count = sizeof(names) / sizeof(names[0]);
	cleanup_buf struct buf text = BUF_INIT(SESSION_FILE_MAX);
	struct session session;

	(void)state;
	buf_put_text(&text, HEAD TAIL);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&text, "file=%s\n", names[i]);
		write_file(names[i], "x");
	}
	write_session(buf_view(&text), 0600);
	assert_int_equal(session_find(cache, &alias, &session), SBX_OK);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(unlinkat(alias_fd, names[i], 0), 0);
		assert_int_equal(
		    session_find(cache, &alias, &session), SBX_NOT_FOUND);
		assert_int_equal(session_read(cache, &alias, &session), SBX_OK);
		write_file(names[i], "");
		assert_int_equal(
		    session_find(cache, &alias, &session), SBX_NOT_FOUND);
		write_file(names[i], "x");
	}
	/* The user's own key may be on a stick that is not in. */
	assert_int_equal(unlinkat(alias_fd, CACHE_KEY, 0), 0);
	assert_int_equal(symlinkat("/nonexistent", alias_fd, CACHE_KEY), 0);
	assert_int_equal(session_find(cache, &alias, &session), SBX_OK);
	/* What is not named is not looked for. */
	for (size_t i = 0; i < count; i++)
		assert_int_equal(unlinkat(alias_fd, names[i], 0), 0);
	write_session(VIEW_STR(HEAD TAIL), 0600);
	assert_int_equal(session_find(cache, &alias, &session), SBX_OK);
	assert_int_equal(unlinkat(alias_fd, CACHE_SESSION, 0), 0);
	assert_int_equal(session_find(cache, &alias, &session), SBX_NOT_FOUND);
}

static void
test_too_large(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(2 * SESSION_FILE_MAX);

	struct session session;

	(void)state;
	buf_put_text(&text, HEAD TAIL);
	while (text.len <= SESSION_FILE_MAX)
		buf_put_text(&text, "endpoint=a\n");
	write_session(buf_view(&text), 0600);
	assert_int_equal(session_read(cache, &alias, &session), SBX_BAD_VALUE);
}

static void
test_readable_by_others(void **state)
{
	struct session session;

	(void)state;
	write_session(VIEW_STR(HEAD TAIL), 0640);
	assert_int_equal(session_read(cache, &alias, &session), SBX_BAD_VALUE);
}

static void
test_symbolic_link(void **state)
{
	struct session session;

	(void)state;
	(void)unlinkat(alias_fd, "session", 0);
	assert_int_equal(symlinkat("/dev/null", alias_fd, "session"), 0);
	assert_int_equal(session_read(cache, &alias, &session), SBX_BAD_VALUE);
}

static void
test_fifo(void **state)
{
	struct session session;

	(void)state;
	(void)unlinkat(alias_fd, "session", 0);
	assert_int_equal(mkfifoat(alias_fd, "session", 0600), 0);
	assert_int_equal(session_read(cache, &alias, &session), SBX_BAD_VALUE);
}

static void
test_fresh(void **state)
{
	struct session s = { .not_after = 1000, .origin = "1.5" };

	(void)state;
	assert_true(session_is_fresh(&s, 0, "1.5"));
	assert_false(session_is_fresh(&s, 0, "1.50"));
	assert_false(session_is_fresh(&s, 0, ""));
	assert_true(session_is_fresh(&s, 1000 - SESSION_MARGIN - 1, "1.5"));
	assert_false(session_is_fresh(&s, 1000 - SESSION_MARGIN, "1.5"));
	assert_true(session_is_valid(&s, 999));
	assert_false(session_is_valid(&s, 1000));
	assert_false(session_is_fresh(&s, UINT64_MAX, "1.5"));
	s.single_use = true;
	assert_false(session_is_fresh(&s, 0, "1.5"));
	assert_true(session_is_valid(&s, 0));
}

/* Its sockets say whether it is there; of a network only the session can. */
static void
test_there(void **state)
{
	struct session s = { .running = true };
	char here[SESSION_ENDPOINT_LEN], gone[SESSION_ENDPOINT_LEN];
	const struct {
		const char *first, *second;
		bool running, want, local;
	} cases[] = {
		{ NULL, NULL, true, false, false },
		{ here, NULL, true, true, true },
		/* It was started since. */
		{ here, NULL, false, true, true },
		{ gone, NULL, true, false, true },
		{ gone, here, true, true, true },
		{ gone, gone, true, false, true },
		{ "tcp://127.0.0.1:22", NULL, true, true, false },
		{ "tcp://127.0.0.1:22", NULL, false, false, false },
		{ gone, "tcp://127.0.0.1:22", true, true, false },
		{ "unix:/etc/passwd/x", NULL, true, false, true },
	};

	(void)state;
	write_file("here", "x");
	(void)snprintf(here, sizeof(here), "unix:%s/" ALIAS "/here", cache);
	(void)snprintf(gone, sizeof(gone), "unix:%s/" ALIAS "/gone", cache);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const endpoint[] = { cases[i].first,
			cases[i].second };

		s.running = cases[i].running;
		s.endpoint_count = 0;
		for (size_t j = 0; j < 2 && endpoint[j] != NULL; j++)
			(void)snprintf(s.endpoint[s.endpoint_count++],
			    sizeof(s.endpoint[0]), "%s", endpoint[j]);
		assert_int_equal(session_is_there(&s), cases[i].want);
		assert_int_equal(session_is_local(&s), cases[i].local);
		/* It was found to be another, and that is all that is known. */
		s.anew = true;
		assert_int_equal(
		    session_is_there(&s), cases[i].want && cases[i].local);
		s.anew = false;
	}
	assert_int_equal(unlinkat(alias_fd, "here", 0), 0);
}

static void
expect_origin(const char *config, const char *want)
{
	struct paths paths = { .config = "/nonexistent",
		.state = "/nonexistent" };
	char origin[ORIGIN_LEN];

	origin_find(&paths, config, origin);
	assert_string_equal(origin, want);
}

/* By the file and its ctime, and SANDBOX_BROKER; nothing if there is neither.
 */
static void
test_origin(void **state)
{
	struct paths paths = { .state = "/nonexistent" };
	char config[PATHS_MAX], first[ORIGIN_LEN], second[ORIGIN_LEN],
	    both[2 * ORIGIN_LEN];
	const struct timespec times[2] = { { 1, 0 }, { 2, 3 } };

	(void)state;
	assert_int_equal(paths_join(cache, ALIAS "/config", config), SBX_OK);
	assert_int_equal(unsetenv("SANDBOX_BROKER"), 0);
	expect_origin(config, "");
	write_file("config", "");
	assert_int_equal(utimensat(alias_fd, "config", times, 0), 0);
	origin_find(&paths, config, first);
	expect_origin(config, first);
	/* Another one, as old. */
	write_file("config", "");
	assert_int_equal(utimensat(alias_fd, "config", times, 0), 0);
	origin_find(&paths, config, second);
	assert_string_not_equal(first, second);
	assert_int_equal(setenv("SANDBOX_BROKER", "unix:/x", 1), 0);
	(void)snprintf(both, sizeof(both), "%s,unix:/x", second);
	expect_origin(config, both);
	assert_int_equal(unlinkat(alias_fd, "config", 0), 0);
	expect_origin(config, "unix:/x");
	assert_int_equal(unsetenv("SANDBOX_BROKER"), 0);
	/* Whoever has a broker means that one. */
	assert_int_equal(mkdirat(alias_fd, "db", 0700), 0);
	write_file("db/sandboxd.db", "");
	assert_int_equal(paths_join(cache, ALIAS, paths.state), SBX_OK);
	origin_find(&paths, config, first);
	assert_string_equal(first, "own");
	assert_int_equal(unlinkat(alias_fd, "db/sandboxd.db", 0), 0);
	assert_int_equal(unlinkat(alias_fd, "db", AT_REMOVEDIR), 0);
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_origin),
	cmocka_unit_test(test_none),
	cmocka_unit_test(test_written_then_read),
	cmocka_unit_test(test_any_other_state_is_not_running),
	cmocka_unit_test(test_files),
	cmocka_unit_test(test_too_large),
	cmocka_unit_test(test_readable_by_others),
	cmocka_unit_test(test_symbolic_link),
	cmocka_unit_test(test_fifo),
	cmocka_unit_test(test_fresh),
	cmocka_unit_test(test_there),
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + OTHERS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
