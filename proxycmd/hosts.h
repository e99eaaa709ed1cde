/*
 * CACHE/hosts.conf: one "Host" for every alias that the cache knows, for
 * completion and for the menus of editors, with a "User" where a sandbox
 * wants another one than the snippet says.
 */
#ifndef SBX_HOSTS_H
#define SBX_HOSTS_H

#include <stdint.h>

#include "common/err.h"

#define HOSTS_FILE "hosts.conf"
#define HOSTS_LOCK ".lock"
#define HOSTS_MAX (1024 * 1024)
#define HOSTS_USER_DEFAULT "sandbox"
/* An alias stays listed for so long after its certificate ended. */
#define HOSTS_KEEP (7 * 24 * 3600)

/* [a-z_][a-z0-9_-]{0,62}: nothing that a configuration file could mean. */
bool hosts_is_user(const char *user) MUST_USE;

/*
 * Write it anew, sorted, from the sessions in the cache, unless it says that
 * already; now is Unix time.  cache_fd is the folder cache names.
 */
enum sbx_err hosts_update(const char *cache, int cache_fd, uint64_t now,
    struct sbx_why *why) MUST_USE;

#endif
