/* SPDX-License-Identifier: ISC */
/*
 * The cache as its one writer sees it: a place for one alias, held under
 * that alias's lock.  Nothing stays behind for a sandbox that does not
 * exist: the folder is made when there is something to put into it, and the
 * lock's file goes when the lock does.
 */
#ifndef SBX_RESOLVE_CACHE_H
#define SBX_RESOLVE_CACHE_H

#include <sys/types.h>
#include <time.h>

#include "proxycmd/session.h"

struct place {
	const char *cache;
	const struct alias *alias;
	int cache_fd;
	int lock_fd;
	char lock[NAME_ALIAS_MAX + 8];
};

#define PLACE_INIT                            \
	{                                     \
		.cache_fd = -1, .lock_fd = -1 \
	}

/* Which session file it is; all zero if there is none. */
struct stamp {
	ino_t inode;
	struct timespec changed;
};

/* What a connection needs, as texts of the files. */
struct credentials {
	struct view key;	 /* private key file; len 0: see link */
	const char *link;	 /* private key elsewhere; NULL: none */
	struct view public_key;	 /* of a key that is not ours; len 0: none */
	struct view certificate; /* len 0: none */
	struct view known_hosts;
	struct view session;
	struct view anew; /* CACHE_ANEW; len 0: none, but see below */
	uint64_t now;	  /* Unix time */
};

/* An ssh that is at work takes so long to come to that file, in seconds. */
#define CACHE_ANEW_KEEP 10

/*
 * Open the cache, made with mode 0700 if missing.  SBX_UNTRUSTED if another
 * account owns it or can write to it.  alias and cache must outlive it.
 * alias NULL: only cache_fd may be used then.
 */
enum sbx_err place_open(const char *cache, const struct alias *alias,
    struct place *ret, struct sbx_why *why) MUST_USE;
/*
 * Take the alias's lock, waiting at most that many seconds (SBX_TIMEOUT);
 * progress, unless NULL, is called a few times a second meanwhile.
 */
enum sbx_err place_lock(struct place *place, unsigned seconds,
    void (*progress)(void *context), void *context,
    struct sbx_why *why) MUST_USE;
void place_close(struct place *place); /* frees the lock too */
#define cleanup_place __attribute__((cleanup(place_close)))

struct stamp place_stamp(const struct place *place) MUST_USE;
bool stamp_eq(const struct stamp *a, const struct stamp *b) MUST_USE;

/*
 * Write them, the session last; under the lock.  A signal that would end the
 * program waits until all is written.  A CACHE_ANEW that was there goes only
 * when it is older than CACHE_ANEW_KEEP.
 */
enum sbx_err place_put(const struct place *place,
    const struct credentials *credentials, struct sbx_why *why) MUST_USE;
/* The session alone, beside credentials that stay as they are. */
enum sbx_err place_put_session(const struct place *place,
    const struct session *session, struct sbx_why *why) MUST_USE;
/* Remove the alias's folder with all that place_put writes; was there one? */
bool place_drop(const struct place *place);
/* Remove those whose certificates ended more than keep seconds ago. */
void place_prune(const struct place *place, uint64_t now, uint64_t keep);

#endif
