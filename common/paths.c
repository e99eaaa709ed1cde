/* SPDX-License-Identifier: ISC */
#include "common/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"

enum sbx_err
paths_join(const char *dir, const char *name, char ret[static PATHS_MAX])
{
	int len = snprintf(ret, PATHS_MAX, "%s/%s", dir, name);

	return len < 0 || len >= PATHS_MAX ? SBX_TOO_LARGE : SBX_OK;
}

static bool
fill(struct paths *p, const char *home, const char *user, bool root)
{
	const char *libexec = getenv("SANDBOX_SSH_LIBEXEC");
	const char *sbin = getenv("SANDBOX_SSH_SBIN");
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	bool ok = true;

	if (libexec == NULL || *libexec != '/')
		libexec = LIBEXECDIR "/sandbox-ssh";
	if (sbin == NULL || *sbin != '/')
		sbin = SBINDIR;
	if (credentials == NULL || *credentials != '/')
		credentials = "";
	ok = ok &&
	    (size_t)snprintf(p->credentials, PATHS_MAX, "%s", credentials) <
		PATHS_MAX;
	ok = ok && paths_join(sbin, "sandboxd", p->sandboxd) == SBX_OK;
	ok = ok && paths_join(home, ".cache/sandbox-ssh", p->cache) == SBX_OK;
	ok = ok && paths_join(home, ".config/sandbox-ssh", p->config) == SBX_OK;
	ok = ok && (size_t)snprintf(p->home, PATHS_MAX, "%s", home) < PATHS_MAX;
	ok = ok &&
	    (size_t)snprintf(p->user, sizeof(p->user), "%s", user) <
		sizeof(p->user);
	ok = ok &&
	    (size_t)snprintf(p->libexec, PATHS_MAX, "%s", libexec) < PATHS_MAX;
	ok = ok && paths_join("/run", "sandbox-ssh", p->shared) == SBX_OK;
	ok = ok &&
	    paths_join("/var/lib", "sandbox-ssh", p->shared_state) == SBX_OK;
	if (root) {
		memcpy(p->state, p->shared_state, PATHS_MAX);
		memcpy(p->runtime, p->shared, PATHS_MAX);
		return ok;
	}
	ok = ok &&
	    paths_join(home, ".local/state/sandbox-ssh", p->state) == SBX_OK;
	return ok && paths_join(p->state, "run", p->runtime) == SBX_OK;
}

enum sbx_err
paths_find(struct paths *ret, struct sbx_why *why)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwuid(getuid());
	if (pw == NULL || pw->pw_dir == NULL || *pw->pw_dir != '/')
		return sbx_fail(why, SBX_CONFIG,
		    "uid %lu has no home folder in the passwd database",
		    (unsigned long)getuid());
	if (!fill(ret, pw->pw_dir, pw->pw_name, getuid() == 0))
		return sbx_fail(why, SBX_CONFIG,
		    "the home folder of uid %lu has too long a name",
		    (unsigned long)getuid());
	return SBX_OK;
}

bool
paths_has_broker(const struct paths *paths)
{
	char path[PATHS_MAX];

	return paths_join(paths->state, "db/sandboxd.db", path) == SBX_OK &&
	    access(path, F_OK) == 0;
}
