/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "net/settings.h"

static char dir[] = "/tmp/test_settings.XXXXXX";
static char file[64];

static void
write_config(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(file, 0600), 0);
}

struct row {
	const char *name;
	const char *url;
	bool good;
};

static const struct row rows[] = {
	{ "a socket", "unix:/run/x.sock", true },
	{ "https", "https://broker.example", true },
	{ "https with port and prefix", "https://broker.example:8443/a/b",
	    true },
	{ "https to an address", "https://[2001:db8::1]:8443", true },
	{ "http to 127.0.0.1", "http://127.0.0.1:80", true },
	{ "http to 127.9.9.9", "http://127.9.9.9", true },
	{ "http to localhost", "http://localhost:8080/x", true },
	{ "http to ::1", "http://[::1]:8080", true },
	{ "http to elsewhere", "http://broker.example", false },
	{ "http to a name that starts like loopback",
	    "http://127.0.0.1.example", false },
	{ "http to a name that starts like localhost",
	    "http://localhost.example", false },
	{ "http to an address that is not loopback", "http://[::2]", false },
	{ "http to another address", "http://10.0.0.1", false },
	{ "http to loopback as a user name", "http://localhost@example",
	    false },
	{ "a socket with a blank", "unix:/a b", true },
	{ "a socket with a tab", "unix:/a\tb", false },
	{ "a socket with a DEL", "unix:/a\177b", false },
	{ "a relative socket", "unix:x.sock", false },
	{ "no socket", "unix:", false },
	{ "a socket path that fits nowhere",
	    "unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    false },
	{ "no scheme", "broker.example", false },
	{ "another scheme", "ftp://broker.example", false },
	{ "file", "file:///etc/passwd", false },
	{ "no host", "https://", false },
	{ "no host but a port", "https://:443", false },
	{ "no host but a path", "https:///x", false },
	{ "a user", "https://me@broker.example", false },
	{ "a query", "https://broker.example/?x", false },
	{ "a fragment", "https://broker.example/#x", false },
	{ "a blank", "https://broker.example/a b", false },
	{ "a line break", "https://broker.example/\r\nX: y", false },
	{ "not ASCII", "https://br\303\266ker.example", false },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_url(void **state)
{
	const struct row *row = *state;
	struct paths paths = { .home = "" };
	struct sbx_why why = { "" };
	struct settings settings;
	enum sbx_err err;

	write_config("");
	assert_int_equal(setenv("SANDBOX_BROKER", row->url, 1), 0);
	err = settings_read(&paths, file, &settings, &why);
	assert_int_equal(unsetenv("SANDBOX_BROKER"), 0);
	assert_string_equal(
	    sbx_err_name(err), sbx_err_name(row->good ? SBX_OK : SBX_CONFIG));
	if (row->good)
		assert_string_equal(settings.broker.url, row->url);
	else
		assert_non_null(strstr(why.text, "SANDBOX_BROKER"));
}

static void
test_defaults(void **state)
{
	struct paths paths = { .home = "" };
	struct settings settings;

	(void)state;
	write_config("");
	assert_int_equal(settings_read(&paths, file, &settings, NULL), SBX_OK);
	assert_string_equal(settings.broker.url, "");
	assert_string_equal(settings.broker.token, "");
	assert_int_equal(settings.ttl, 0);
	assert_int_equal(settings.wait, 120);
	assert_int_equal(settings.timeout, 10);
}

static void
test_commands(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ "[exec]\ncommand = /x\n", ":1: unknown section '[exec]'" },
		{ "[exec x]\ncommand = /x\n", ":1: unknown section" },
		{ "[exec \"x]\ncommand = /x\n", ":1: unknown section" },
		{ "[exec \"\"]\ncommand = /x\n", ":1: unknown section" },
		{ "[exec \"A\"]\ncommand = /x\n", ":1: 'A' is no name" },
		{ "[exec \"a\"\"]\ncommand = /x\n", ":1: unknown section" },
		{ "[exec \"a\"] x\ncommand = /x\n", ":1: a section is" },
		{ "[ssh \"a\"]\nttl = 1h\n", ":1: unknown section" },
		{ "[exec \"a\"]\ncommand = x\n", ":2: command = 'x'" },
		{ "[exec \"a\"]\nurl = x\n", ":2: unknown key 'url'" },
		{ "[exec \"a\"]\n = x\n", ":2: " },
		{ "[exec \"a\"]\ncommand = /x\ncommand = /y\n",
		    ":3: command is set twice" },
		{ "[exec \"a\"]\ncommand = /x\n[ssh]\n[exec \"a\"]\n",
		    ":4: section [exec \"a\"] stands twice" },
	};
	struct paths paths = { .home = "" };
	struct settings settings;

	(void)state;
	write_config("[exec \"a\"]\ncommand = /x %i\n[broker]\nurl = unix:/u\n"
		     "[exec \"b-2\"]\ncommand = /y\n");
	assert_int_equal(settings_read(&paths, file, &settings, NULL), SBX_OK);
	assert_string_equal(settings_exec(&settings, "a"), "/x %i");
	assert_string_equal(settings_exec(&settings, "b-2"), "/y");
	assert_string_equal(settings.broker.url, "unix:/u");
	assert_null(settings_exec(&settings, "c"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sbx_why why = { "" };

		write_config(bad[i].text);
		assert_int_equal(
		    settings_read(&paths, file, &settings, &why), SBX_CONFIG);
		if (strstr(why.text, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].text, why.text);
	}
}

static void
test_the_environment_wins(void **state)
{
	struct paths paths = { .home = "" };
	struct settings settings;

	(void)state;
	write_config("[broker]\nurl = unix:/a\n[ssh]\nttl = 2h\n");
	assert_int_equal(settings_read(&paths, file, &settings, NULL), SBX_OK);
	assert_string_equal(settings.broker.url, "unix:/a");
	assert_int_equal(settings.ttl, 7200);
	assert_int_equal(setenv("SANDBOX_BROKER", "unix:/b", 1), 0);
	assert_int_equal(setenv("SANDBOX_TOKEN", "secret", 1), 0);
	assert_int_equal(settings_read(&paths, file, &settings, NULL), SBX_OK);
	assert_int_equal(unsetenv("SANDBOX_BROKER"), 0);
	assert_int_equal(unsetenv("SANDBOX_TOKEN"), 0);
	assert_string_equal(settings.broker.url, "unix:/b");
	assert_string_equal(settings.broker.token, "secret");
}

/* A token is for the broker that it was given for. */
static void
test_another_broker_gets_nothing(void **state)
{
	static const struct {
		const char *url, *token_file, *ca_file, *trusted_ca;
	} ways[] = {
		{ "https://b.example", "", "", "" },
		{ "https://a.example", "/t", "/c", "/k" },
		{ "", "/t", "/c", "/k" },
	};
	struct paths paths = { .home = "" };
	struct settings settings;

	(void)state;
	write_config("[broker]\nurl = https://a.example\ntoken_file = /t\n"
		     "token_command = /x\nca_file = /c\ntrusted_ca = /k\n");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		assert_int_equal(setenv("SANDBOX_BROKER", ways[i].url, 1), 0);
		assert_int_equal(
		    settings_read(&paths, file, &settings, NULL), SBX_OK);
		assert_int_equal(unsetenv("SANDBOX_BROKER"), 0);
		assert_string_equal(
		    settings.broker.token_file, ways[i].token_file);
		assert_string_equal(settings.broker.token_command,
		    *ways[i].token_file == '\0' ? "" : "/x");
		assert_string_equal(settings.broker.ca_file, ways[i].ca_file);
		assert_string_equal(
		    settings.broker.trusted_ca, ways[i].trusted_ca);
	}
}

static void
choose(const char *name, const char *url, const char *token_file)
{
	struct paths paths = { .home = "" };
	struct settings settings;

	assert_int_equal(setenv("SANDBOX_TOKEN", "secret", 1), 0);
	assert_int_equal(settings_read(&paths, file, &settings, NULL), SBX_OK);
	assert_int_equal(unsetenv("SANDBOX_TOKEN"), 0);
	assert_int_equal(settings_choose(&settings, name, NULL), SBX_OK);
	assert_string_equal(settings.broker.url, url);
	assert_string_equal(settings.broker.token_file, token_file);
	/* A token is for the broker that it was given for. */
	assert_string_equal(settings.broker.token,
	    settings.broker.suffix[0] == '\0' ? "secret" : "");
	assert_int_equal(settings.timeout, 5);
}

static void
test_domains(void **state)
{
	struct paths paths = { .home = "" };
	struct sbx_why why = { "" };
	struct settings settings;

	(void)state;
	write_config("[broker]\nurl = unix:/a\ntoken_file = /t\n"
		     "timeout = 5s\n"
		     "[domain \"prod.sandbox\"]\nurl = https://prod\n"
		     "[domain \"eu.prod.sandbox\"]\nurl = https://eu\n"
		     "token_file = /eu\n"
		     "[domain \"none.sandbox\"]\n");
	choose("run-1.sandbox", "unix:/a", "/t");
	choose("run-1.prod.sandbox", "https://prod", "");
	choose("run-1.eu.prod.sandbox", "https://eu", "/eu");
	choose("run-1.us.prod.sandbox", "https://prod", "");
	/* A suffix is whole labels, and there is an id before it. */
	choose("run-1.xprod.sandbox", "unix:/a", "/t");
	choose("prod.sandbox", "unix:/a", "/t");
	choose("", "unix:/a", "/t");
	assert_int_equal(settings_read(&paths, file, &settings, NULL), SBX_OK);
	assert_int_equal(
	    settings_choose(&settings, "a.none.sandbox", &why), SBX_CONFIG);
	assert_non_null(strstr(why.text, "[domain \"none.sandbox\"]"));
	write_config("[domain \"../x\"]\nurl = unix:/a\n");
	assert_int_equal(
	    settings_read(&paths, file, &settings, &why), SBX_CONFIG);
	write_config("[domain \"a.sandbox\"]\nurl = http://elsewhere\n");
	assert_int_equal(
	    settings_read(&paths, file, &settings, &why), SBX_CONFIG);
	assert_non_null(strstr(why.text, ":2: url"));
}

static void
test_errors_name_file_and_line(void **state)
{
	struct paths paths = { .home = "" };
	struct sbx_why why = { "" };
	struct settings settings;
	char want[80];

	(void)state;
	write_config("[broker]\nurl = https://a\ntimeout = 10\n");
	assert_int_equal(
	    settings_read(&paths, file, &settings, &why), SBX_CONFIG);
	(void)snprintf(want, sizeof(want), "%s:3: timeout", file);
	assert_memory_equal(why.text, want, strlen(want));
	write_config("[ssh]\nspeed = 1\n");
	assert_int_equal(
	    settings_read(&paths, file, &settings, &why), SBX_CONFIG);
	assert_non_null(strstr(why.text, "unknown key 'speed'"));
}

static void
test_a_file_that_others_can_write(void **state)
{
	struct paths paths = { .home = "" };
	struct sbx_why why = { "" };
	struct settings settings;

	(void)state;
	write_config("");
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(
	    settings_read(&paths, file, &settings, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, file));
}

static void
test_a_named_file_must_exist(void **state)
{
	struct paths paths = { .home = "" };
	struct settings settings;

	(void)state;
	(void)unlink(file);
	assert_int_equal(
	    settings_read(&paths, file, &settings, NULL), SBX_CONFIG);
}

static void
test_the_usual_file_need_not(void **state)
{
	struct paths paths = { .home = "" };
	struct sbx_why why = { "" };
	struct settings settings;

	(void)state;
	(void)snprintf(paths.config, sizeof(paths.config), "%s", dir);
	(void)unlink(file);
	assert_int_equal(settings_read(&paths, NULL, &settings, &why), SBX_OK);
	assert_string_equal(why.text, "");
	write_config("[ssh]\nwait = 7s\n");
	assert_int_equal(settings_read(&paths, NULL, &settings, &why), SBX_OK);
	assert_int_equal(settings.wait, 7);
}

static int
set_up(void **state)
{
	(void)state;
	(void)unsetenv("SANDBOX_BROKER");
	(void)unsetenv("SANDBOX_TOKEN");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(file, sizeof(file), "%s/config", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(dir);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_the_environment_wins),
		cmocka_unit_test(test_another_broker_gets_nothing),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_errors_name_file_and_line),
		cmocka_unit_test(test_a_file_that_others_can_write),
		cmocka_unit_test(test_a_named_file_must_exist),
		cmocka_unit_test(test_the_usual_file_need_not),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_url, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
