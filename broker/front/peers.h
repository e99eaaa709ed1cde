/* SPDX-License-Identifier: ISC */
/*
 * Who is connected: how many connections and calls each user has, and how
 * long they take to say what they want.  Users (persons.h says who is one)
 * share the server; root and the user whose broker this is have no share to
 * keep to, and room is kept for them.
 */
#ifndef SBX_BROKER_PEERS_H
#define SBX_BROKER_PEERS_H

#include <sys/types.h>

#include "broker/life/access.h"

struct peers;
struct peer; /* one connection */

struct peers_limits {
	size_t connections; /* all of them */
	uid_t own_uid;
	unsigned patience; /* seconds from the last answer to a whole request */
};

enum sbx_err
peers_new(const struct peers_limits *limits, struct peers **ret) MUST_USE;
void peers_free(struct peers *peers); /* NULL allowed; none connected */

/*
 * A connection of this user.  NULL: they have their share, a quarter of the
 * limit, or all others together have all but the eighth that is kept, or
 * nothing at all is left.  Its time runs from peer_arrive() on.
 */
struct peer *peer_add(struct peers *peers, int fd, uid_t uid) MUST_USE;
/*
 * The one that was added with this descriptor, which now stays open until
 * peer_remove().  One that never arrived goes when its descriptor is given
 * anew.
 */
struct peer *peer_arrive(struct peers *peers, int fd) MUST_USE;
void peer_remove(struct peers *peers, struct peer *peer);

/*
 * Its account and its person, kept for a second by whoever looked them up.
 * Only for the thread that answers it.
 */
bool peer_recall_caller(const struct peer *peer, struct caller *ret) MUST_USE;
void peer_keep_caller(struct peer *peer, const struct caller *caller);

/*
 * A call has come in; no time runs until it is over.  False when the user
 * has three sixteenths of the limit under way.
 */
bool peer_begin_call(struct peers *peers, struct peer *peer) MUST_USE;
void peer_end_call(struct peers *peers, struct peer *peer);
/*
 * An answer that goes on: it counts as no call, no time runs and nobody waits
 * for its end.  False when the user has an eighth of the limit in such; root
 * and the owner have half of it together.
 */
bool peer_begin_stream(struct peers *peers, struct peer *peer) MUST_USE;
void peer_end_stream(struct peers *peers, struct peer *peer);

/*
 * Has a request begun, or has all of its answer been sent?  Whoever was added
 * waits from then on.
 */
void peer_set_waiting(struct peers *peers, struct peer *peer, bool waiting);
/*
 * Wait until nobody waits any more, at most so many seconds.  For the end,
 * when no one comes in.
 */
void peers_await(struct peers *peers, unsigned seconds);
/*
 * Shut down the connections whose time is over: whoever reads or writes on
 * one sees its end; its owner closes it.
 */
void peers_end_slow(struct peers *peers);

#endif
