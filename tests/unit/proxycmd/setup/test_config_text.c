/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proxycmd/setup/config_text.h"

static const struct config_text usual = { "/usr/bin/sandbox-proxy", "", "",
	"sandbox", false };

static void
test_usual(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(CONFIG_TEXT_MAX);
	const char *t;

	(void)state;
	assert_int_equal(config_text_put(&usual, &text, NULL), SBX_OK);
	t = buf_text(&text);
	assert_non_null(strstr(t,
	    "Match host \"*.sandbox,!*'*\" exec "
	    "\"exec /usr/bin/sandbox-proxy prepare --no-agent '%h'\"\n"
	    "    IdentityAgent none\n"
	    "# ssh reads that file for other hosts, too, and would stop at "
	    "damage.\n"
	    "Match host \"*,!*.sandbox,!*'*\" exec "
	    "\"exec /usr/bin/sandbox-proxy hosts --heal\"\n"
	    "Match host \"*.sandbox,!*'*\"\n"
	    "    Include ~/.cache/sandbox-ssh/hosts.conf\n"
	    "Match host \"*.sandbox,!*'*\"\n"
	    "    User sandbox\n"));
	assert_non_null(strstr(t, "\n    Tunnel no\n"));
	assert_non_null(strstr(t,
	    "ProxyCommand /usr/bin/sandbox-proxy connect --fdpass '%h' %p\n"));
	assert_null(strchr(t, '@'));
}

static void
test_stdio(void **state)
{
	static const char *const openssh[] = { "Match", "Include", "dpass",
		"Agent none", "CertificateFile", "# What", "# ssh" };
	cleanup_buf struct buf text = BUF_INIT(CONFIG_TEXT_MAX);
	struct config_text stdio = usual;
	const char *t;

	(void)state;
	stdio.stdio = true;
	assert_int_equal(config_text_put(&stdio, &text, NULL), SBX_OK);
	t = buf_text(&text);
	for (size_t i = 0; i < sizeof(openssh) / sizeof(openssh[0]); i++)
		assert_null(strstr(t, openssh[i]));
	assert_non_null(strstr(t,
	    "\nHost *.sandbox \"!*'*\"\n    User sandbox\n"
	    "    ProxyCommand /usr/bin/sandbox-proxy connect '%h' %p\n"
	    "    IdentityFile "));
	assert_non_null(strstr(t, "\n    CheckHostIP no\n"));
	assert_non_null(strstr(t, "\n    ForwardAgent no\n"));
	assert_non_null(strstr(t, "\n    ForwardX11 no\n"));
	t = strstr(t, "\nHost ");
	assert_null(strstr(t + 1, "\nHost "));
}

static void
test_everything_else(void **state)
{
	static const struct config_text other = { "/opt/my own/sandbox-proxy",
		"/var/a b", "/etc/c d", "x.y", false };
	cleanup_buf struct buf text = BUF_INIT(CONFIG_TEXT_MAX);
	const char *t;

	(void)state;
	assert_int_equal(config_text_put(&other, &text, NULL), SBX_OK);
	t = buf_text(&text);
	assert_non_null(strstr(t,
	    "exec \"exec '/opt/my own/sandbox-proxy' --cache '/var/a b' "
	    "--config '/etc/c d' --suffix x.y prepare --no-agent '%h'\"\n"));
	assert_non_null(strstr(t,
	    "ProxyCommand '/opt/my own/sandbox-proxy' --cache '/var/a b' "
	    "--config '/etc/c d' --suffix x.y connect --fdpass '%h' %p\n"));
	assert_non_null(strstr(t, "\"/var/a b/%h/known_hosts\"\n"));
	assert_non_null(strstr(t, "\nMatch host \"*.x.y,!*'*\"\n"));
}

static const char *const bad_paths[] = { "/a'b", "/a\"b", "/a\\b", "/a%h",
	"/a\nb", "/a$b", "/a*", "/a`b" };

#define BAD_PATHS (sizeof(bad_paths) / sizeof(bad_paths[0]))

static void
test_bad_path(void **state)
{
	const char *path = *state;
	struct config_text as_program = usual, as_cache = usual,
			   as_config = usual;
	cleanup_buf struct buf text = BUF_INIT(CONFIG_TEXT_MAX);

	as_program.program = path;
	as_cache.cache = path;
	as_config.config = path;
	assert_int_equal(config_text_put(&as_program, &text, NULL), SBX_USAGE);
	assert_int_equal(config_text_put(&as_cache, &text, NULL), SBX_USAGE);
	assert_int_equal(config_text_put(&as_config, &text, NULL), SBX_USAGE);
	assert_int_equal(config_text_put_path(path, &text, NULL), SBX_USAGE);
	assert_int_equal(text.len, 0);
}

static void
test_path_with_blank_is_quoted(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(CONFIG_TEXT_MAX);

	(void)state;
	assert_int_equal(config_text_put_path("/a/b", &text, NULL), SBX_OK);
	assert_int_equal(config_text_put_path("/a b", &text, NULL), SBX_OK);
	assert_string_equal(buf_text(&text), "/a/b\"/a b\"");
}

int
main(void)
{
	struct CMUnitTest tests[BAD_PATHS + 4] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_stdio),
		cmocka_unit_test(test_everything_else),
		cmocka_unit_test(test_path_with_blank_is_quoted),
	};

	for (size_t i = 0; i < BAD_PATHS; i++)
		tests[4 + i] = (struct CMUnitTest){ bad_paths[i], test_bad_path,
			NULL, NULL, (void *)bad_paths[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
