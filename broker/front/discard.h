/* SPDX-License-Identifier: ISC */
/*
 * Closing the sockets of strangers.  A descriptor may be under way in one of
 * them (SCM_RIGHTS), and closing that one takes as long as its sender likes
 * (SO_LINGER of tcp(7)).  Nobody lingers in a thread that is ending, so it is
 * such a thread that closes them, many at once.
 */
#ifndef SBX_BROKER_DISCARD_H
#define SBX_BROKER_DISCARD_H

#include "common/err.h"

struct discard;

enum sbx_err discard_new(struct discard **ret) MUST_USE;
/* All are closed.  NULL allowed. */
void discard_free(struct discard *discard);

/*
 * Close fd, but not at once: some are kept for a while, so that a peer which
 * is slow can still read what was sent.  Any thread.
 */
void discard_put(struct discard *discard, int fd);
/* Close those that were there the last time; called now and then. */
void discard_flush(struct discard *discard);

#endif
