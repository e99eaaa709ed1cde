/*
 * The door of the listening UNIX socket: lets in whom the peers have room
 * for, with the uid that the kernel tells, and sends all others away before
 * anything is spent on them.
 */
#ifndef SBX_BROKER_DOOR_H
#define SBX_BROKER_DOOR_H

#include <sys/socket.h>

#include "broker/peers.h"

struct door;

/* One was let in: it is among the peers, and fd belongs to the callee. */
typedef void door_entry(
    void *context, int fd, const struct sockaddr *address, socklen_t len);

/*
 * Serve listen_fd (which then belongs to it) in a thread of its own, which
 * also ends the peers that are slow.
 */
enum sbx_err door_open(int listen_fd, struct peers *peers, door_entry *entry,
    void *context, struct door **ret) MUST_USE;
/* Nobody comes in after it has returned.  NULL allowed. */
void door_close(struct door *door);

#endif
