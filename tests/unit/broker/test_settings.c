/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "broker/settings.h"
#include "common/cleanup.h"

struct row {
	const char *name;
	const char *text;
	enum sbx_err want;
};

static const struct row rows[] = {
	{ "nothing", "", SBX_OK },
	{ "everything",
	    "[broker]\nsocket = /a\nstate_dir = /b\nruntime_dir = /c\n"
	    "[ca]\nkey = /d\ntrusted = /e\n[local]\nisolation = none\n"
	    "uid_range = 100000:65536\n[limits]\nmax_ttl = 1h\n"
	    "max_sandboxes = 5\nconnections = 10\n",
	    SBX_OK },
	{ "unknown key", "[broker]\nport = 1\n", SBX_CONFIG },
	{ "unknown section", "[brokr]\nsocket = /a\n", SBX_CONFIG },
	{ "relative path", "[broker]\nsocket = a\n", SBX_CONFIG },
	{ "unknown isolation", "[local]\nisolation = some\n", SBX_CONFIG },
	{ "range without count", "[local]\nuid_range = 100000\n", SBX_CONFIG },
	{ "range among accounts", "[local]\nuid_range = 1000:65536\n",
	    SBX_CONFIG },
	{ "range too small", "[local]\nuid_range = 100000:10\n", SBX_CONFIG },
	{ "range past the end", "[local]\nuid_range = 4294900000:100000\n",
	    SBX_CONFIG },
	{ "range with a tail", "[local]\nuid_range = 100000:65536:1\n",
	    SBX_CONFIG },
	{ "limits of a sandbox",
	    "[local]\nprocesses = 100\nmemory = 512M\ntmpfs = 10%\n"
	    "ptys = 16\n",
	    SBX_OK },
	{ "a workspace", "[local]\nworkspace = 16M\n", SBX_OK },
	{ "a workspace too small", "[local]\nworkspace = 15M\n", SBX_CONFIG },
	{ "a share of memory", "[local]\nmemory = 25%\n", SBX_OK },
	{ "memory without a unit", "[local]\nmemory = 512\n", SBX_CONFIG },
	{ "memory in other units", "[local]\nmemory = 4GB\n", SBX_CONFIG },
	{ "memory with a sign", "[local]\nmemory = -1G\n", SBX_CONFIG },
	{ "more memory than there is", "[local]\nmemory = 101%\n", SBX_CONFIG },
	{ "no share of memory", "[local]\nmemory = 0%\n", SBX_CONFIG },
	{ "too little memory", "[local]\nmemory = 63M\n", SBX_CONFIG },
	{ "a number that wraps", "[local]\nmemory = 99999999T\n", SBX_CONFIG },
	{ "a unit alone", "[local]\nmemory = M\n", SBX_CONFIG },
	{ "all memory for files", "[local]\ntmpfs = 26%\n", SBX_CONFIG },
	{ "a size for files", "[local]\ntmpfs = 64M\n", SBX_CONFIG },
	{ "too few processes", "[local]\nprocesses = 63\n", SBX_CONFIG },
	{ "too many terminals", "[local]\nptys = 4097\n", SBX_CONFIG },
	{ "life above the ceiling", "[limits]\nmax_ttl = 25h\n", SBX_CONFIG },
	{ "no sandboxes", "[limits]\nmax_sandboxes = 0\n", SBX_CONFIG },
	{ "no events", "[limits]\nmax_events = 0\n", SBX_CONFIG },
	{ "events of a minute", "[limits]\nmax_event_age = 1m\n", SBX_CONFIG },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct paths paths = {
	.config = "/nonexistent/config",
	.state = "/nonexistent/state",
	.runtime = "/nonexistent/run",
	.libexec = "/nonexistent/libexec",
};

static enum sbx_err
read_text(const char *text, struct broker_options options, uid_t uid,
    struct broker_settings *ret)
{
	char path[] = "/tmp/test_broker_settings.XXXXXX";
	cleanup_close int fd = mkstemp(path);
	enum sbx_err err;

	assert_true(fd >= 0);
	assert_int_equal(file_write_fd(fd, VIEW_STR(text)), SBX_OK);
	(void)snprintf(options.config, sizeof(options.config), "%s", path);
	err = broker_settings_read(&paths, uid, &options, ret, NULL);
	assert_int_equal(unlink(path), 0);
	return err;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct broker_settings s;

	assert_int_equal(
	    read_text(row->text, (struct broker_options){ 0 }, getuid(), &s),
	    row->want);
}

static void
test_defaults(void **state)
{
	struct broker_settings s;

	(void)state;
	assert_int_equal(
	    read_text("", (struct broker_options){ 0 }, getuid(), &s), SBX_OK);
	assert_string_equal(s.socket, "/nonexistent/run/sandboxd.sock");
	assert_string_equal(s.ca_key, "/nonexistent/state/ca/ca_ed25519");
	assert_int_equal(s.isolation, ISOLATION_WANT_AUTO);
	assert_int_equal(s.max_ttl, 86400);
	assert_int_equal(s.uid_range.start, getuid() == 0 ? 1879048192 : 0);
}

static void
test_options_stand_above(void **state)
{
	const struct broker_options options = { .state_dir = "/o",
		.socket = "/s" };
	struct broker_settings s;

	(void)state;
	assert_int_equal(
	    read_text("[broker]\nstate_dir = /f\nruntime_dir = /r\n", options,
		getuid(), &s),
	    SBX_OK);
	assert_string_equal(s.state_dir, "/o");
	assert_string_equal(s.runtime_dir, "/r");
	assert_string_equal(s.socket, "/s");
	assert_string_equal(s.ca_key, "/o/ca/ca_ed25519");
}

static void
test_long_socket(void **state)
{
	struct broker_options options = { .socket = "/" };
	struct broker_settings s;

	(void)state;
	memset(options.socket + 1, 'x', 106);
	assert_int_equal(read_text("", options, getuid(), &s), SBX_OK);
	memset(options.socket + 1, 'x', 107);
	assert_int_equal(read_text("", options, getuid(), &s), SBX_USAGE);
}

static void
test_named_file_must_exist(void **state)
{
	const struct broker_options options = { .config = "/nonexistent/f" };
	struct broker_settings s;

	(void)state;
	assert_int_equal(
	    broker_settings_read(&paths, getuid(), &options, &s, NULL),
	    SBX_CONFIG);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 4];
	size_t n = 0;

	for (; n < ROWS; n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_defaults);
	tests[n++] =
	    (struct CMUnitTest)cmocka_unit_test(test_options_stand_above);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_long_socket);
	tests[n++] =
	    (struct CMUnitTest)cmocka_unit_test(test_named_file_must_exist);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
