/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "broker/providers/local/ids.h"
#include "broker/providers/local/text.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct sshd_setup usual = {
	.host_key = "/opt/x/host_key",
	.authkeys = "/opt/x/sandbox-authkeys",
	.authkeys_conf = "/opt/x/authkeys.conf",
	.authkeys_user = "sandbox-authkeys",
	.workspace = "/home/x/workspace",
};

static void
config_of(const struct sshd_setup *setup, struct buf *ret)
{
	struct sbx_why why = { "" };

	assert_int_equal(text_sshd_config(setup, ret, &why), SBX_OK);
}

static void
assert_line(struct buf *text, const char *line)
{
	const char *at = strstr(buf_text(text), line);

	if (at == NULL || at[strlen(line)] != '\n' ||
	    (at != buf_text(text) && at[-1] != '\n'))
		fail_msg("no line '%s' in:\n%s", line, buf_text(text));
}

/* What opens another door when it is missing (facts about sshd). */
static const char *const needed[] = {
	"AuthorizedKeysCommand /opt/x/sandbox-authkeys -c "
	"/opt/x/authkeys.conf --owner 0 %u %t %k",
	"AuthorizedKeysCommandUser sandbox-authkeys",
	"AuthorizedKeysFile none",
	"TrustedUserCAKeys none",
	"AuthorizedPrincipalsFile none",
	"PasswordAuthentication no",
	"KbdInteractiveAuthentication no",
	"PermitRootLogin no",
	"PermitTunnel no",
	"UsePAM no",
	"X11Forwarding no",
	"HostKey /opt/x/host_key",
	"SetEnv SANDBOX_WORKSPACE=/home/x/workspace",
	"Subsystem sftp internal-sftp",
};

static void
test_needed_lines(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(8192);

	(void)state;
	config_of(&usual, &text);
	for (size_t i = 0; i < ROWS(needed); i++)
		assert_line(&text, needed[i]);
}

/* Shell, command and file transfer start in the same place. */
static void
test_start_in_workspace(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(8192);
	struct sshd_setup setup = usual;

	(void)state;
	setup.start_there = true;
	config_of(&setup, &text);
	assert_line(&text,
	    "SetEnv SANDBOX_WORKSPACE=/home/x/workspace "
	    "SANDBOX_WORKDIR=/home/x/workspace");
	assert_line(&text, "Subsystem sftp internal-sftp -d /home/x/workspace");
	buf_reset(&text);
	text_passwd("/opt/x/shell", &text);
	assert_line(
	    &text, "sandbox:*:1000:1000:sandbox:/home/sandbox:/opt/x/shell");
}

static void
test_plain_sandbox(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(8192);
	struct sshd_setup setup = usual;

	(void)state;
	setup.workspace = "/var/lib/x/workspace";
	setup.root_login = true;
	config_of(&setup, &text);
	assert_line(&text, "PermitRootLogin prohibit-password");
	assert_line(&text, "SetEnv SANDBOX_WORKSPACE=/var/lib/x/workspace");
}

static const char *const bad_paths[] = {
	"relative",
	"/with blank",
	"/with\nnewline",
	"/with%token",
	"/with\"quote",
	"/with#hash",
	"/with\\backslash",
	"",
};

static void
test_paths_that_need_quotes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(bad_paths); i++) {
		cleanup_buf struct buf text = BUF_INIT(8192);
		struct sshd_setup setup = usual;
		struct sbx_why why = { "" };

		setup.workspace = bad_paths[i];
		assert_int_equal(
		    text_sshd_config(&setup, &text, &why), SBX_CONFIG);
		assert_int_equal(text.len, 0);
		assert_non_null(strstr(why.text, bad_paths[i]));
	}
}

static void
test_gate_settings(void **state)
{
	struct gate_setup setup = { "run-1", "/x/ca.pub", "sandbox", 17, NULL,
		"/r/refused" };
	cleanup_buf struct buf text = BUF_INIT(1024);

	(void)state;
	text_authkeys_conf(&setup, &text);
	assert_string_equal(buf_text(&text),
	    "sandbox_id = run-1\ntrusted_ca = /x/ca.pub\n"
	    "login_users = sandbox\nissued_after = 17\n"
	    "last_refusal = /r/refused\n");
	buf_reset(&text);
	setup.state_dir = "/s";
	text_authkeys_conf(&setup, &text);
	assert_string_equal(buf_text(&text),
	    "sandbox_id = run-1\ntrusted_ca = /x/ca.pub\n"
	    "login_users = sandbox\nissued_after = 17\n"
	    "last_refusal = /r/refused\nstate_dir = /s\n");
}

static const struct {
	const char *account;
	unsigned id;
} accounts[] = {
	{ "sshd", LOCAL_UID_SSHD },
	{ "sandbox-authkeys", LOCAL_UID_AUTHKEYS },
	{ "sandbox", LOCAL_UID_SANDBOX },
};

static void
test_accounts_have_their_ids(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(8192);
	char want[64];

	(void)state;
	text_passwd("/bin/bash", &text);
	for (size_t i = 0; i < ROWS(accounts); i++) {
		(void)snprintf(want, sizeof(want),
		    "\n%s:*:%u:%u:", accounts[i].account, accounts[i].id,
		    accounts[i].id);
		assert_non_null(strstr(buf_text(&text), want));
	}
	(void)snprintf(want, sizeof(want), "\ntty:*:%d:\n", LOCAL_GID_TTY);
	assert_string_equal(text_files[0].path, "/etc/group");
	assert_non_null(strstr(text_files[0].text, want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed_lines),
		cmocka_unit_test(test_start_in_workspace),
		cmocka_unit_test(test_plain_sandbox),
		cmocka_unit_test(test_paths_that_need_quotes),
		cmocka_unit_test(test_gate_settings),
		cmocka_unit_test(test_accounts_have_their_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
