/* SPDX-License-Identifier: ISC */
/*
 * Which sandboxes there are: every page of the broker's list, into the
 * cache.  A broker is asked at most once a minute, however many ask.
 */
#ifndef SBX_RESOLVE_LIST_H
#define SBX_RESOLVE_LIST_H

#include "common/cleanup.h"
#include "net/client.h"
#include "proxycmd/resolve/work.h"

#define LIST_INTERVAL 60 /* seconds */

static inline void
cleanup_object_fn(struct json_object **object)
{
	(void)json_object_put(*object);
}

#define cleanup_object __attribute__((cleanup(cleanup_object_fn)))
#define cleanup_client __attribute__((cleanup(client_close)))

/*
 * Ask the broker whose names end in suffix.  SBX_OK without asking, and a
 * warning, if that was done less than a minute ago, or is being done.
 */
enum sbx_err list_refresh(const struct work *work, int cache_fd,
    const char *suffix, struct sbx_why *warning, struct sbx_why *why) MUST_USE;
/*
 * The same over a client that is open already, in little time: nobody waits
 * for it, and nobody minds if it fails.
 */
void list_in_passing(const struct client *client, int cache_fd,
    const char *suffix, uint64_t now);
/*
 * Put a new sandbox on the list, or take one off that is gone; false if nothing
 * changed.  A name with a provider in it is not on it: another sandbox may have
 * that id.
 */
bool list_set(int cache_fd, const struct alias *alias, bool there);
/* What the names of the client's broker end in. */
const char *list_suffix(const struct client *client, const char *suffix);

#endif
