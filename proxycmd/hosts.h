/* SPDX-License-Identifier: ISC */
/*
 * CACHE/hosts.conf: one "Host" for every sandbox that the caller may enter,
 * for completion and for the menus of editors, with a "User" where a sandbox
 * wants another one than the snippet says.  The names are those that a
 * broker listed (CACHE/.listed-SUFFIX) and those that the cache has
 * credentials for.  Before them stands what is for all of them (fdpass.h).
 *
 * ssh reads it whatever host it is for, and stops at what it does not like.
 * So it is read-only, and its time of change is a whole second, which that of
 * a file somebody else wrote to hardly ever is.
 */
#ifndef SBX_HOSTS_H
#define SBX_HOSTS_H

#include <stdint.h>
#include <sys/stat.h>

#include "common/buf.h"

#define HOSTS_LOCK ".lock"
#define HOSTS_MAX (4 * 1024 * 1024)
#define HOSTS_LISTED ".listed-" /* and the suffix */
#define HOSTS_LISTED_MAX 10000	/* ids of one broker */
#define HOSTS_USER_DEFAULT "sandbox"
/* First for a sandbox on this machine, if session.local_kex. */
#define HOSTS_LOCAL_KEX "curve25519-sha256,curve25519-sha256@libssh.org"
/*
 * An alias stays listed for so long after its certificate ended, unless the
 * broker's list says that there is no such sandbox any more.
 */
#define HOSTS_KEEP (7 * 24 * 3600)

/*
 * An account, or the token that a gateway takes for one: up to 255 visible
 * ASCII characters that neither ssh_config nor a shell takes for something
 * else when they stand in double quotes; ssh itself refuses most others.
 */
bool hosts_is_user(const char *user) MUST_USE;

/*
 * What the broker for that suffix has listed: ids, one a line.  complete: it
 * was all of them.
 */
enum sbx_err hosts_put_listed(int cache_fd, const char *suffix, bool complete,
    struct view ids, struct sbx_why *why) MUST_USE;

/*
 * Put an id into that, which then need not have been there, or take it out;
 * false if nothing changed.
 */
bool
hosts_set_listed(int cache_fd, const char *suffix, const char *id, bool there);

/* By its lstat(2): is it as it was written, and would ssh read it? */
bool hosts_is_sound(const struct stat *st, uid_t owner) MUST_USE;
/*
 * Write it anew, sorted, from the lists and the sessions in the cache, unless
 * it is sound and says that already; now is Unix time.  cache_fd is the folder
 * that cache names.
 */
enum sbx_err hosts_update(const char *cache, int cache_fd, uint64_t now,
    struct sbx_why *why) MUST_USE;
/*
 * The same for one that is there and not sound; true if it is now.  One that
 * cannot be written anew is removed: ssh can do without, but not with it.
 */
bool hosts_heal(const char *cache, uint64_t now);

#endif
