/* SPDX-License-Identifier: ISC */
/*
 * The door of the listening UNIX socket: lets in whom the peers have room
 * for, with the uid that the kernel tells, and sends all others away before
 * anything is spent on them.
 */
#ifndef SBX_BROKER_DOOR_H
#define SBX_BROKER_DOOR_H

#include "broker/front/discard.h"
#include "broker/front/peers.h"
#include "broker/life/persons.h"

struct door;

/* One was let in: it is among the peers, and fd belongs to the callee. */
typedef void door_entry(void *context, int fd);

struct door_setup {
	int listen_fd; /* does not block; an open door owns it */
	struct peers *peers;
	struct persons *persons;
	struct discard *discard;
	door_entry *entry;
	void *context; /* for entry */
};

/*
 * Serve in a thread of its own, which also ends the peers that are slow and
 * flushes what was discarded.
 */
enum sbx_err
door_open(const struct door_setup *setup, struct door **ret) MUST_USE;
/* Nobody comes in after it has returned.  NULL allowed. */
void door_close(struct door *door);

#endif
