/* SPDX-License-Identifier: ISC */
/*
 * sandbox-shell: the login shell that the kit gives every account.  It brings
 * the image's environment back, which sshd does not know, and becomes the
 * shell that the image gives this uid, else the first that there is.
 *
 * Called by another name it is a trampoline: it starts LIBEXEC/NAME of the
 * kit without the image's LD_* variables, which may name libraries that want
 * another C library than the kit's, and with the kit's settings of OpenSSL.
 *
 * Static, libc only: it runs in any image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "kit/base.h"

#define NAME "sandbox-shell"
#define ENV_MAX (1024 * 1024)
#define DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

static const char *self;
static char shell_path[BASE_PATH];

static bool
kit_path(const char *rest, char ret[BASE_PATH])
{
	return base_path(self, rest, ret);
}

/*
 * A file that the image may have replaced by anything: only a regular one is
 * read, and opening it never waits.
 */
static FILE *
open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	return fdopen(fd, "r");
}

/* The image's environment: "NAME=VALUE", a NUL after each. */
static void
bring_environment(void)
{
	char path[BASE_PATH];
	size_t len, start = 0;
	FILE *file;
	char *text;

	if (!kit_path("box/env", path) || (file = open_regular(path)) == NULL)
		return;
	text = malloc(ENV_MAX + 1); /* kept: the environment points into it */
	len = text == NULL ? 0 : fread(text, 1, ENV_MAX, file);
	(void)fclose(file);
	while (start < len) {
		char *entry = text + start;
		char *end = memchr(entry, '\0', len - start);
		char *equals;

		if (end == NULL)
			return;
		start += (size_t)(end - entry) + 1;
		equals = strchr(entry, '=');
		if (equals == NULL || equals == entry)
			continue;
		*equals = '\0';
		/* What sshd says of the session stands; its PATH does not. */
		(void)setenv(entry, equals + 1, strcmp(entry, "PATH") == 0);
	}
}

static void
extend_path(void)
{
	char bin[BASE_PATH], applets[BASE_PATH], path[2 * BASE_PATH + 4096];
	const char *old = getenv("PATH");
	int n;

	/* By itself it has no programs to offer. */
	if (!kit_path("bin", bin) || !kit_path("applets", applets) ||
	    access(applets, X_OK) < 0)
		return;
	if (old == NULL || *old == '\0')
		old = DEFAULT_PATH;
	n = snprintf(path, sizeof(path), "%s:%s:%s", old, bin, applets);
	if (n > 0 && (size_t)n < sizeof(path))
		(void)setenv("PATH", path, 1);
}

static bool
can_run(const char *path)
{
	return path[0] == '/' && strcmp(path, self) != 0 &&
	    access(path, X_OK) == 0;
}

/* The image's own idea of this uid, not the box's. */
static const char *
find_shell(void)
{
	static const char *const usual[] = { "/bin/bash", "/bin/sh",
		"/usr/bin/sh" };
	FILE *file = open_regular("/etc/passwd");
	struct passwd *pw;

	while (file != NULL && (pw = fgetpwent(file)) != NULL) {
		if (pw->pw_uid != getuid())
			continue;
		if (strlen(pw->pw_shell) < sizeof(shell_path) &&
		    can_run(pw->pw_shell)) {
			(void)snprintf(
			    shell_path, sizeof(shell_path), "%s", pw->pw_shell);
		}
		break;
	}
	if (file != NULL)
		(void)fclose(file);
	if (shell_path[0] != '\0')
		return shell_path;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (can_run(usual[i]))
			return usual[i];
	}
	return kit_path("applets/sh", shell_path) ? shell_path : "/bin/sh";
}

/* Whatever sshd needed to become this account is not the session's. */
static void
drop_inheritable(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct set[2];

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, set) < 0)
		return;
	set[0].inheritable = set[1].inheritable = 0;
	(void)syscall(SYS_capset, &header, set);
}

static int
fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s: %s\n", NAME, what, strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

static int
trampoline(const char *name, char **argv)
{
	char path[BASE_PATH], rest[BASE_PATH], conf[BASE_PATH];
	char **to = environ;

	for (char **from = environ; *from != NULL; from++) {
		if (strncmp(*from, "LD_", 3) != 0)
			*to++ = *from;
	}
	*to = NULL;
	if (kit_path("etc/openssl.cnf", conf))
		(void)setenv("OPENSSL_CONF", conf, 1);
	if (snprintf(rest, sizeof(rest), "libexec/%s", name) >=
		(int)sizeof(rest) ||
	    !kit_path(rest, path))
		return EX_SOFTWARE;
	(void)execv(path, argv);
	return fail(path);
}

int
main(int argc, char **argv)
{
	const char *shell, *name, *folder, *zone = getenv("TZ");
	char name0[BASE_PATH];

	self = (const char *)getauxval(AT_EXECFN);
	if (argc < 1 || self == NULL || self[0] != '/')
		return EX_USAGE;
	name = strrchr(self, '/') + 1;
	if (strcmp(name, NAME) != 0)
		return trampoline(name, argv);

	drop_inheritable();
	/* Ours, so that sshd reads no /etc/localtime; not the client's. */
	if (zone != NULL && *zone == '\0')
		(void)unsetenv("TZ");
	bring_environment();
	extend_path();
	shell = find_shell();
	(void)setenv("SHELL", shell, 1);
	folder = getenv("SANDBOX_WORKDIR");
	if (folder != NULL)
		(void)!chdir(folder); /* else home, as sshd chose */
	/* "-sh" for a login shell, as sshd called us. */
	name = strrchr(shell, '/') + 1;
	(void)snprintf(
	    name0, sizeof(name0), "%s%s", argv[0][0] == '-' ? "-" : "", name);
	argv[0] = name0;
	(void)execv(shell, argv);
	return fail(shell);
}
