/* SPDX-License-Identifier: ISC */
/*
 * What sandbox-resolve does: credentials from the broker into the cache, and
 * a sandbox that sleeps, woken.
 */
#ifndef SBX_RESOLVE_WORK_H
#define SBX_RESOLVE_WORK_H

#include "common/name.h"
#include "common/paths.h"
#include "proxycmd/resolve/caller.h"
#include "proxycmd/resolve/wish.h"
#include "proxycmd/shell.h"

struct work {
	const struct paths *paths;
	const char *cache;
	const char *config;	   /* NULL: the usual files */
	const char *origin;	   /* theirs */
	const struct shell *shell; /* through which ssh runs us */
	const struct alias *alias; /* NULL for work_hosts */
	const char *suffix;	   /* what names end in, domains aside */
	uint64_t ttl; /* seconds; not 0: new credentials whatever there are */
	uint64_t now; /* Unix time */
	const struct wish
	    *wish;  /* for this cache from now on; NULL: as it is */
	bool quiet; /* connect comes next, and tells what there is to tell */
	const struct caller *caller; /* whom work_prepare keeps waiting */
	struct patience *patience;   /* NULL: none of its own */
	bool anew;		     /* with CACHE_ANEW */
};

/*
 * Credentials that are good for a connection now.  Those that are fresh are
 * left alone, so of many at once one asks the broker.  When it cannot be
 * asked and the old ones of that broker still live, they stay, and it is SBX_OK
 * with a warning.  Never wakes a sandbox.
 *
 * All that one ssh waits for the broker is no longer than one request may take,
 * and than ssh's own ConnectTimeout; one that just was silent is not asked.
 */
enum sbx_err work_prepare(const struct work *work, struct sbx_why *warning,
    struct sbx_why *why) MUST_USE;
/*
 * New credentials, since what answers has another host key than the old ones
 * say, and CACHE_ANEW for the ssh that has read those.  Of many at once one
 * asks.
 */
enum sbx_err work_renew(const struct work *work, struct sbx_why *warning,
    struct sbx_why *why) MUST_USE;
/*
 * The sandbox runs, and the cache knows how to reach it.  Of many at once
 * one asks.  Progress is shown if standard error is a terminal.
 */
enum sbx_err work_wake(const struct work *work, struct sbx_why *warning,
    struct sbx_why *why) MUST_USE;

/*
 * hosts.conf as the brokers list their sandboxes; each is asked at most once
 * a minute, and the warning tells of one that was not.  The first failure is
 * told, the others were asked all the same.
 */
enum sbx_err work_hosts(const struct work *work, struct sbx_why *warning,
    struct sbx_why *why) MUST_USE;

/* There is a new sandbox of that name: what the cache has is of another. */
enum sbx_err work_meet(const struct work *work, struct sbx_why *warning,
    struct sbx_why *why) MUST_USE;
/* There is none of that name any more. */
enum sbx_err work_forget(const struct work *work, struct sbx_why *warning,
    struct sbx_why *why) MUST_USE;

#endif
