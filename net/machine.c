/* SPDX-License-Identifier: ISC */
#include "net/machine.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* systemd.unit(5): those that come first count. */
static const char *const folders[] = {
	"/etc/systemd/system",
	"/run/systemd/system",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
};

/* One that is masked leads to /dev/null. */
static bool
has_unit(const char *name)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[128];
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (lstat(path, &st) == 0)
			return stat(path, &st) == 0 && S_ISREG(st.st_mode);
	}
	return false;
}

const char *
machine_unit(void)
{
	static const char *const units[] = { "sandboxd.socket",
		"sandboxd.service" };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (has_unit(units[i]))
			return units[i];
	}
	return NULL;
}

bool
machine_has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

bool
machine_has_broker(const struct paths *paths)
{
	char socket[PATHS_MAX];

	return access(paths->shared_state, F_OK) == 0 ||
	    (paths_join(paths->shared, PATHS_SOCKET, socket) == SBX_OK &&
		access(socket, F_OK) == 0) ||
	    machine_unit() != NULL;
}
