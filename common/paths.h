/* SPDX-License-Identifier: ISC */
/*
 * Where things are.  The environment is read here and nowhere else, once,
 * by the main functions; everything below takes paths as parameters.
 *
 *             root                       others
 * home        the passwd entry's, as ssh's %d (not $HOME)
 * cache       ~/.cache/sandbox-ssh       the same
 * config      ~/.config/sandbox-ssh      the same
 * state       /var/lib/sandbox-ssh       ~/.local/state/sandbox-ssh
 * runtime     /run/sandbox-ssh           ~/.local/state/sandbox-ssh/run: not
 *                                        below $XDG_RUNTIME_DIR, which not
 *                                        every login of a user has, or has as
 *                                        a folder that is theirs alone
 * shared      /run/sandbox-ssh           the same: the machine's broker
 * shared_state  /var/lib/sandbox-ssh     the same
 * libexec     as configured; SANDBOX_SSH_LIBEXEC overrides (uninstalled use)
 * sandboxd    sbindir as configured; SANDBOX_SSH_SBIN overrides its folder
 */
#ifndef SBX_PATHS_H
#define SBX_PATHS_H

#include "common/err.h"

#define PATHS_MAX 512
#define PATHS_SOCKET "sandboxd.sock" /* of a broker, in its runtime */
#define PATHS_SYSTEM_CONFIG SYSCONFDIR "/sandbox-ssh"

struct paths {
	char home[PATHS_MAX];
	char user[64]; /* the account's name */
	char cache[PATHS_MAX];
	char config[PATHS_MAX];
	char state[PATHS_MAX];
	char runtime[PATHS_MAX];
	char shared[PATHS_MAX];
	char shared_state[PATHS_MAX];
	char libexec[PATHS_MAX];
	char sandboxd[PATHS_MAX]; /* the program */
	/* CREDENTIALS_DIRECTORY, systemd's; "" if there is none */
	char credentials[PATHS_MAX];
};

/* SBX_CONFIG when the calling user has no passwd entry or a long path. */
enum sbx_err paths_find(struct paths *ret, struct sbx_why *why) MUST_USE;
/* Has this account had a broker of its own?  Then that is the one it means. */
bool paths_has_broker(const struct paths *paths) MUST_USE;
/* dir/name into ret, SBX_TOO_LARGE if it does not fit. */
enum sbx_err paths_join(
    const char *dir, const char *name, char ret[static PATHS_MAX]) MUST_USE;

#endif
