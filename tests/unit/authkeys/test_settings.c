/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/settings.h"
#include "certs/build.h"
#include "tests/unit/tmpdir.h"

#define LEAST                                            \
	"sandbox_id = run-1\ntrusted_ca = /etc/ca.pub\n" \
	"login_users = sandbox\n"

static const struct row {
	const char *name;
	const char *text;
	const char *want; /* in the message; NULL: it is accepted */
} rows[] = {
	{ "the least", LEAST, NULL },
	{ "id from a file",
	    "sandbox_id = file:/etc/id\ntrusted_ca = /ca\nlogin_users = a, b\n",
	    NULL },
	{ "everything",
	    LEAST "max_ttl = 1h\nclock_skew = 0s\nissued_after = 1790000000\n"
		  "permit = none\n# comment\n",
	    NULL },
	{ "empty file", "", "test: sandbox_id is not set" },
	{ "no id", "trusted_ca = /ca\nlogin_users = a\n",
	    "test: sandbox_id is not set" },
	{ "no CA", "sandbox_id = a\nlogin_users = a\n",
	    "test: trusted_ca is not set" },
	{ "no users", "sandbox_id = a\ntrusted_ca = /ca\n",
	    "test: login_users is not set" },
	{ "no user in login_users",
	    "sandbox_id = a\ntrusted_ca = /ca\nlogin_users =\n",
	    "test: login_users is not set" },
	{ "id that is none", "sandbox_id = Run_1\n", "test:1: 'Run_1'" },
	{ "id file by a relative path", "sandbox_id = file:id\n",
	    "test:1: sandbox_id" },
	{ "CA by a relative path", "trusted_ca = ca.pub\n",
	    "test:1: trusted_ca" },
	{ "pattern among the users", "login_users = sand*\n",
	    "test:1: login_users" },
	{ "max_ttl without a unit", LEAST "max_ttl = 24\n", "test:4: max_ttl" },
	{ "max_ttl of a week", LEAST "max_ttl = 7d\n", "test:4: max_ttl" },
	{ "max_ttl of nothing", LEAST "max_ttl = 0s\n", "test:4: max_ttl" },
	{ "clock_skew of an hour", LEAST "clock_skew = 1h\n",
	    "test:4: clock_skew" },
	{ "issued_after before 1970", LEAST "issued_after = -1\n",
	    "test:4: issued_after" },
	{ "unknown word in permit", LEAST "permit = pty tunnel\n",
	    "test:4: permit" },
	{ "a key twice", LEAST "sandbox_id = run-2\n",
	    "test:4: sandbox_id is set twice" },
	{ "unknown key", LEAST "sandbox = run-2\n", "test:4: unknown key" },
	{ "a section", LEAST "[gate]\npermit = pty\n",
	    "test:4: unknown section" },
	{ "single use and its folder",
	    LEAST "single_use = always\nstate_dir = /var/lib/x\n", NULL },
	{ "single use always, no folder", LEAST "single_use = always\n",
	    "test: single_use = always, but state_dir is not set" },
	{ "single use never, no folder", LEAST "single_use = never\n", NULL },
	{ "single use sometimes", LEAST "single_use = yes\n",
	    "test:4: single_use = 'yes' is none of: marked, always, never" },
	{ "folder by a relative path", LEAST "state_dir = var\n",
	    "test:4: state_dir" },
	{ "chained command",
	    LEAST "then = /bin/x -u %u --key=%t:%k 100%%\n"
		  "then_timeout = 10s\n",
	    NULL },
	{ "chained command by a relative path", LEAST "then = x %u\n",
	    "test:4: then = 'x %u' does not start with the absolute path" },
	{ "chained command out of tokens", LEAST "then = /bin/%u\n",
	    "test:4: then" },
	{ "unknown token", LEAST "then = /bin/x %h\n",
	    "test:4: then: '%h': the tokens are" },
	{ "half a token", LEAST "then = /bin/x %\n", "test:4: then: '%'" },
	{ "no command", LEAST "then =\n", "test:4: then is empty" },
	{ "then_timeout of two minutes", LEAST "then_timeout = 2m\n",
	    "test:4: then_timeout" },
	{ "revocation list", LEAST "revoked = /r\nrevoked_max_age = 1h\n",
	    NULL },
	{ "revocation list by a relative path", LEAST "revoked = r\n",
	    "test:4: revoked" },
	{ "revoked_max_age without a unit", LEAST "revoked_max_age = 60\n",
	    "test:4: revoked_max_age" },
	{ "revoked_max_age of nothing", LEAST "revoked_max_age = 0s\n",
	    "test:4: revoked_max_age" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct gate_settings settings;
	struct sbx_why why = { "" };
	enum sbx_err err =
	    gate_settings_parse("test", row->text, &settings, &why);

	if (row->want == NULL) {
		assert_string_equal(why.text, "");
		assert_int_equal(err, SBX_OK);
		return;
	}
	assert_int_equal(err, SBX_CONFIG);
	if (strstr(why.text, row->want) == NULL)
		fail_msg("'%s' is not in '%s'", row->want, why.text);
}

static void
test_defaults(void **state)
{
	struct gate_settings settings;

	(void)state;
	assert_int_equal(
	    gate_settings_parse("test", LEAST, &settings, NULL), SBX_OK);
	assert_int_equal(settings.max_ttl, 24 * 3600);
	assert_int_equal(settings.clock_skew, 60);
	assert_int_equal(settings.issued_after, 0);
	assert_string_equal(settings.revoked, "");
	assert_int_equal(settings.revoked_max_age, 24 * 3600);
	assert_int_equal(settings.permit, PERMIT_DEFAULT);
	assert_int_equal(settings.login_users.count, 1);
	assert_int_equal(settings.single_use, GATE_SINGLE_USE_MARKED);
	assert_string_equal(settings.state_dir, "");
	assert_string_equal(settings.then, "");
	assert_int_equal(settings.then_timeout, 3);
}

/* Each in a folder of its own. */
static const char *const named[] = { "conf", "ca", "id" };

#define NAMED (sizeof(named) / sizeof(named[0]))

static void
put_file(const struct tmpdir *tmpdir, const char *name, struct view text)
{
	char path[32];

	assert_int_equal(mkdirat(tmpdir->dir, name, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/file", name);
	assert_int_equal(
	    file_write_atomic(tmpdir->dir, path, 0644, text, NULL), SBX_OK);
}

static void
put_files(const struct tmpdir *tmpdir)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf text = BUF_INIT(4096);
	struct keypair ca;

	keypair_generate(&ca);
	key_put_ed25519(ca.public, &blob);
	key_put_line(buf_view(&blob), NULL, &text);
	buf_put_text(&text, "\n");
	put_file(tmpdir, "ca", buf_view(&text));
	put_file(tmpdir, "id", VIEW_STR("run-1\n"));
	buf_reset(&text);
	buf_printf(&text,
	    "sandbox_id = file:%s/id/file\ntrusted_ca = %s/ca/file\n"
	    "login_users = sandbox\n",
	    tmpdir->path, tmpdir->path);
	put_file(tmpdir, "conf", buf_view(&text));
}

/* Who can rename in a folder can put another file there. */
static void
test_folders_above(void **state)
{
	struct gate_settings settings;
	struct tmpdir tmpdir;
	char conf[128], folder[128];
	struct sbx_why why;

	(void)state;
	tmpdir_make(&tmpdir);
	put_files(&tmpdir);
	(void)snprintf(conf, sizeof(conf), "%s/conf/file", tmpdir.path);
	assert_int_equal(
	    gate_settings_read(conf, geteuid(), &settings, NULL), SBX_OK);
	for (size_t i = 0; i < NAMED; i++) {
		(void)snprintf(
		    folder, sizeof(folder), "%s/%s", tmpdir.path, named[i]);
		assert_int_equal(chmod(folder, 0775), 0);
		assert_int_equal(
		    gate_settings_read(conf, geteuid(), &settings, &why),
		    SBX_UNTRUSTED);
		if (strstr(why.text, folder) == NULL)
			fail_msg("'%s' does not name %s", why.text, folder);
		/* As in /tmp, nobody can rename what is another's. */
		assert_int_equal(chmod(folder, 01777), 0);
		assert_int_equal(
		    gate_settings_read(conf, geteuid(), &settings, NULL),
		    SBX_OK);
		assert_int_equal(chmod(folder, 0755), 0);
	}
	tmpdir_remove(&tmpdir);
}

/* What the files themselves must be is tested with sshd, as root. */
static void
test_missing_file_is_named(void **state)
{
	struct gate_settings settings;
	struct sbx_why why;

	(void)state;
	assert_int_equal(gate_settings_read("/nonexistent.conf", FILE_NO_OWNER,
			     &settings, &why),
	    SBX_CONFIG);
	assert_non_null(strstr(why.text, "/nonexistent.conf"));
	assert_int_equal(gate_settings_read("/nonexistent/gate.conf",
			     FILE_NO_OWNER, &settings, &why),
	    SBX_CONFIG);
	assert_non_null(strstr(why.text, "/nonexistent"));
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_defaults);
	tests[ROWS + 1] =
	    (struct CMUnitTest)cmocka_unit_test(test_missing_file_is_named);
	tests[ROWS + 2] = (struct CMUnitTest){
		"threat 24: folders above that others can change",
		test_folders_above, NULL, NULL, NULL
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
