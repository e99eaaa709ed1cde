/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "net/client.h"

/* Opening one asks nobody anything: where it is, and the token. */

static char dir[] = "/tmp/test_client.XXXXXX";
static char config[64], token[64], program[64], runtime[64], lock[80];

/* What this machine has. */
static bool machine;
static const char *unit;

bool __wrap_machine_has_broker(const struct paths *paths);
const char *__wrap_machine_unit(void);
bool __wrap_machine_has_systemd(void);

bool
__wrap_machine_has_broker(const struct paths *paths)
{
	(void)paths;
	return machine;
}

const char *
__wrap_machine_unit(void)
{
	return unit;
}

bool
__wrap_machine_has_systemd(void)
{
	return unit != NULL;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f;

	/* Only root could open one of mode 0400 again. */
	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static enum sbx_err
open_with(const char *settings, struct client *ret, struct sbx_why *why)
{
	static struct paths paths;
	char text[1024];

	(void)snprintf(text, sizeof(text), "[broker]\n%s\n", settings);
	write_file(config, text, 0600);
	(void)snprintf(paths.sandboxd, sizeof(paths.sandboxd), "%s", program);
	(void)snprintf(paths.runtime, sizeof(paths.runtime), "%s", runtime);
	return client_open_for(&paths, config, "", ret, why);
}

struct row {
	const char *name;
	const char *text;
	mode_t mode;
	enum sbx_err want;
	const char *token;
};

static const struct row rows[] = {
	{ "a token", "s3cret\n", 0600, SBX_OK, "s3cret" },
	{ "without line break", "s3cret", 0400, SBX_OK, "s3cret" },
	{ "blanks around it", "  s3cret \t\r\nmore\n", 0600, SBX_OK, "s3cret" },
	{ "readable by the group", "s3cret\n", 0640, SBX_UNTRUSTED, NULL },
	{ "readable by all", "s3cret\n", 0604, SBX_UNTRUSTED, NULL },
	{ "writable by others", "s3cret\n", 0602, SBX_UNTRUSTED, NULL },
	{ "nothing in it", "", 0600, SBX_CONFIG, NULL },
	{ "an empty first line", "\ns3cret\n", 0600, SBX_CONFIG, NULL },
	{ "two words", "a b\n", 0600, SBX_CONFIG, NULL },
	{ "a carriage return inside", "a\rX: y\n", 0600, SBX_CONFIG, NULL },
	{ "not ASCII", "s\303\251cret\n", 0600, SBX_CONFIG, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_token_file(void **state)
{
	const struct row *row = *state;
	struct sbx_why why = { "" };
	struct client client;
	char settings[200];
	enum sbx_err err;

	write_file(token, row->text, row->mode);
	(void)snprintf(settings, sizeof(settings),
	    "url = https://b.example/x/\ntoken_file = %s", token);
	err = open_with(settings, &client, &why);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	if (err != SBX_OK) {
		assert_non_null(strstr(why.text, token));
		assert_null(strstr(why.text, "s3cret"));
		return;
	}
	assert_string_equal(client.token, row->token);
	assert_string_equal(client.base, "https://b.example/x");
	assert_string_equal(client.socket, "");
	assert_true(client.networked);
	client_close(&client);
	assert_string_equal(client.token, "");
}

static void
test_a_token_file_that_is_missing(void **state)
{
	struct client client;

	(void)state;
	assert_int_equal(open_with("url = https://b.example\n"
				   "token_file = /nonexistent/token",
			     &client, NULL),
	    SBX_CONFIG);
}

static void
test_token_command(void **state)
{
	struct sbx_why why = { "" };
	struct client client;
	char settings[200];

	(void)state;
	write_file(program, "#!/bin/sh\necho \"$1-$2\"; echo more\n", 0700);
	(void)snprintf(settings, sizeof(settings),
	    "url = unix:/x\ntoken_command = %s a  $HOME", program);
	assert_int_equal(open_with(settings, &client, NULL), SBX_OK);
	/* No shell has seen it. */
	assert_string_equal(client.token, "a-$HOME");
	client_close(&client);
	write_file(program, "#!/bin/sh\necho s3cret; exit 1\n", 0700);
	assert_int_equal(open_with(settings, &client, &why), SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, program));
	assert_null(strstr(why.text, "s3cret"));
	assert_int_equal(
	    open_with("url = unix:/x\ntoken_command = echo x", &client, NULL),
	    SBX_CONFIG);
}

static void
test_a_socket(void **state)
{
	struct client client;

	(void)state;
	assert_int_equal(open_with("url = unix:/a/b", &client, NULL), SBX_OK);
	assert_string_equal(client.socket, "/a/b");
	assert_string_equal(client.base, "http://localhost");
	assert_false(client.networked);
	client_close(&client);
}

static void
test_a_broker_that_does_not_start(void **state)
{
	struct sbx_why why = { "" };
	struct client client;
	struct stat st;

	(void)state;
	write_file(program,
	    "#!/bin/sh\n[ \"$1\" = --daemon ] && echo it broke >&2\nexit 78\n",
	    0700);
	assert_int_equal(open_with("", &client, &why), SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, ": it broke"));
	assert_int_equal(stat(runtime, &st), 0);
	/* root's is for everybody. */
	assert_int_equal(st.st_mode & 07777, getuid() == 0 ? 0755 : 0700);
	write_file(program, "#!/bin/sh\nexit 0\n", 0700);
	assert_int_equal(open_with("", &client, &why), SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, "does not listen"));
}

/* The machine's broker is for those who never had one of their own. */
static void
test_the_brokers_of_machine_and_user(void **state)
{
	struct paths paths = { .sandboxd = "/bin/false" };
	char own[200], shared[200], db[200], file[300], url[300];
	struct client client;

	(void)state;
	write_file(config, "", 0600);
	(void)snprintf(paths.shared, sizeof(paths.shared), "%s", dir);
	(void)snprintf(paths.runtime, sizeof(paths.runtime), "%s", runtime);
	(void)snprintf(paths.state, sizeof(paths.state), "%s", dir);
	(void)snprintf(shared, sizeof(shared), "%s/sandboxd.sock", dir);
	(void)snprintf(own, sizeof(own), "%s/sandboxd.sock", runtime);
	/* There is none: one is started, in vain. */
	assert_int_equal(client_open_for(&paths, config, "", &client, NULL),
	    SBX_UNAVAILABLE);
	/* It need not run. */
	machine = true;
	assert_int_equal(
	    client_open_for(&paths, config, "", &client, NULL), SBX_OK);
	assert_string_equal(client.socket, shared);
	assert_non_null(strstr(client.absent, "/bin/false --daemon"));
	assert_string_equal(client.other, "");

	/* Who has had one keeps to it, or names the other. */
	(void)snprintf(db, sizeof(db), "%s/db", dir);
	(void)snprintf(file, sizeof(file), "%s/sandboxd.db", db);
	assert_int_equal(mkdir(db, 0700), 0);
	write_file(file, "", 0600);
	assert_int_equal(client_open_for(&paths, config, "", &client, NULL),
	    SBX_UNAVAILABLE);
	(void)snprintf(url, sizeof(url), "[broker]\nurl = unix:%s\n", shared);
	write_file(config, url, 0600);
	assert_int_equal(
	    client_open_for(&paths, config, "", &client, NULL), SBX_OK);
	assert_string_equal(client.other, own);
	assert_string_not_equal(client.absent, "");
	(void)snprintf(url, sizeof(url), "[broker]\nurl = unix:%s\n", own);
	write_file(config, url, 0600);
	assert_int_equal(
	    client_open_for(&paths, config, "", &client, NULL), SBX_OK);
	assert_string_equal(client.other, shared);
	assert_string_equal(client.absent, "");
	write_file(config, "", 0600);

	/* Root's is the machine's; nobody but systemd starts it there. */
	(void)snprintf(paths.runtime, sizeof(paths.runtime), "%s", dir);
	assert_int_equal(client_open_for(&paths, config, "", &client, NULL),
	    SBX_UNAVAILABLE);
	unit = "sandboxd.socket";
	assert_int_equal(
	    client_open_for(&paths, config, "", &client, NULL), SBX_OK);
	assert_string_equal(
	    client.absent, "start it with 'systemctl start sandboxd.socket'");
	unit = NULL;
	machine = false;
	(void)unlink(file);
	(void)rmdir(db);
	(void)snprintf(file, sizeof(file), "%s/start.lock", dir);
	(void)unlink(file);
}

static int
set_up(void **state)
{
	(void)state;
	(void)unsetenv("SANDBOX_BROKER");
	(void)unsetenv("SANDBOX_TOKEN");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(config, sizeof(config), "%s/config", dir);
	(void)snprintf(token, sizeof(token), "%s/token", dir);
	(void)snprintf(program, sizeof(program), "%s/program", dir);
	(void)snprintf(runtime, sizeof(runtime), "%s/run", dir);
	(void)snprintf(lock, sizeof(lock), "%s/start.lock", runtime);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(config);
	(void)unlink(token);
	(void)unlink(program);
	(void)unlink(lock);
	(void)rmdir(runtime);
	return rmdir(dir);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_a_token_file_that_is_missing),
		cmocka_unit_test(test_token_command),
		cmocka_unit_test(test_a_socket),
		cmocka_unit_test(test_a_broker_that_does_not_start),
		cmocka_unit_test(test_the_brokers_of_machine_and_user),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_token_file,
			NULL, NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
