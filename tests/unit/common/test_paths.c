/* SPDX-License-Identifier: ISC */
#include "common/paths.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cases.h"

/* The account: the linker sends these calls here (module.am, --wrap). */
static uid_t uid;
static struct passwd *account;

uid_t __wrap_getuid(void);
struct passwd *__wrap_getpwuid(uid_t of);

uid_t
__wrap_getuid(void)
{
	return uid;
}

struct passwd *
__wrap_getpwuid(uid_t of)
{
	assert_int_equal(of, uid);
	return account;
}

static void
set_env(const char *name, const char *value)
{
	if (value == NULL)
		assert_int_equal(unsetenv(name), 0);
	else
		assert_int_equal(setenv(name, value, 1), 0);
}

#define DEFAULT_LIBEXEC LIBEXECDIR "/sandbox-ssh"
#define X100                                                 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X500 X100 X100 X100 X100 X100

static const struct {
	const char *name;
	uid_t uid;
	const char *home; /* NULL: no account */
	const char *user;
	const char *runtime; /* $XDG_RUNTIME_DIR */
	const char *libexec; /* $SANDBOX_SSH_LIBEXEC */
	const char *want_state, *want_runtime, *want_libexec; /* NULL: fails */
} rows[] = {
	{ "root", 0, "/root", "root", "/run/user/0", NULL,
	    "/var/lib/sandbox-ssh", "/run/sandbox-ssh", DEFAULT_LIBEXEC },
	{ "user", 1000, "/home/u", "u", NULL, NULL,
	    "/home/u/.local/state/sandbox-ssh",
	    "/home/u/.local/state/sandbox-ssh/run", DEFAULT_LIBEXEC },
	{ "user with a runtime folder", 1000, "/home/u", "u", "/run/user/1000",
	    NULL, "/home/u/.local/state/sandbox-ssh",
	    "/home/u/.local/state/sandbox-ssh/run", DEFAULT_LIBEXEC },
	{ "libexec from the environment", 1000, "/home/u", "u", NULL, "/b/x",
	    "/home/u/.local/state/sandbox-ssh",
	    "/home/u/.local/state/sandbox-ssh/run", "/b/x" },
	{ "relative libexec is ignored", 1000, "/home/u", "u", NULL, "x",
	    "/home/u/.local/state/sandbox-ssh",
	    "/home/u/.local/state/sandbox-ssh/run", DEFAULT_LIBEXEC },
	{ "no account", 1000, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "account without home", 1000, "", "u", NULL, NULL, NULL, NULL, NULL },
	{ "relative home", 1000, "home/u", "u", NULL, NULL, NULL, NULL, NULL },
	{ "long home", 1000, "/" X500, "u", NULL, NULL, NULL, NULL, NULL },
	{ "long user", 1000, "/home/u", X100, NULL, NULL, NULL, NULL, NULL },
	{ "long libexec", 1000, "/home/u", "u", NULL, "/" X500 X100, NULL, NULL,
	    NULL },
};

static void
test_row(void **state)
{
	const __typeof__(rows[0]) *row = *state;
	struct passwd pw = { .pw_dir = (char *)(uintptr_t)row->home,
		.pw_name = (char *)(uintptr_t)row->user };
	struct sbx_why why = { "" };
	struct paths p = { .home = "" };
	char want[PATHS_MAX];

	uid = row->uid;
	account = row->home == NULL ? NULL : &pw;
	set_env("HOME", "/somewhere/else"); /* must not matter */
	set_env("XDG_RUNTIME_DIR", row->runtime);
	set_env("SANDBOX_SSH_LIBEXEC", row->libexec);
	set_env("SANDBOX_SSH_SBIN", NULL);
	if (row->want_state == NULL) {
		assert_int_equal(paths_find(&p, &why), SBX_CONFIG);
		assert_non_null(strstr(why.text, "uid 1000"));
		return;
	}
	assert_int_equal(paths_find(&p, &why), SBX_OK);
	assert_string_equal(p.home, row->home);
	assert_string_equal(p.user, row->user);
	assert_string_equal(p.state, row->want_state);
	assert_string_equal(p.runtime, row->want_runtime);
	assert_string_equal(p.libexec, row->want_libexec);
	assert_int_equal(
	    paths_join(row->home, ".cache/sandbox-ssh", want), SBX_OK);
	assert_string_equal(p.cache, want);
	assert_int_equal(
	    paths_join(row->home, ".config/sandbox-ssh", want), SBX_OK);
	assert_string_equal(p.config, want);
}

static const struct {
	const char *name;
	const char *sbin; /* $SANDBOX_SSH_SBIN */
	const char *want; /* NULL: fails */
} sbin_rows[] = {
	{ "sandboxd as installed", NULL, SBINDIR "/sandboxd" },
	{ "sandboxd from the environment", "/b/x", "/b/x/sandboxd" },
	{ "relative folder of sandboxd is ignored", "x", SBINDIR "/sandboxd" },
	{ "long folder of sandboxd", "/" X500 "0123", NULL },
};

static void
test_sbin(void **state)
{
	const __typeof__(sbin_rows[0]) *row = *state;
	char home[] = "/home/u", user[] = "u";
	struct passwd pw = { .pw_dir = home, .pw_name = user };
	struct paths p = { .home = "" };

	uid = 1000;
	account = &pw;
	set_env("XDG_RUNTIME_DIR", NULL);
	set_env("SANDBOX_SSH_LIBEXEC", NULL);
	set_env("SANDBOX_SSH_SBIN", row->sbin);
	assert_int_equal(
	    paths_find(&p, NULL), row->want == NULL ? SBX_CONFIG : SBX_OK);
	if (row->want != NULL)
		assert_string_equal(p.sandboxd, row->want);
}

static void
join_has_a_limit(void **state)
{
	char path[PATHS_MAX];

	(void)state;
	assert_int_equal(paths_join("/a", "b", path), SBX_OK);
	assert_string_equal(path, "/a/b");
	assert_int_equal(
	    paths_join("/" X500, "0123456789", path), SBX_TOO_LARGE);
	assert_int_equal(paths_join("/" X500, "012345678", path), SBX_OK);
	assert_int_equal(strlen(path), PATHS_MAX - 1);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE_ROWS(sbin_rows, test_sbin);
	CASE(join_has_a_limit);
	return cases_run("paths");
}
