/* SPDX-License-Identifier: ISC */
/*
 * Those whom a sandbox is shared with.  The kernel lets them connect to its
 * socket, by an access control list; and it knows who has connected, so that
 * whoever may no more can be cut off.
 */
#ifndef SBX_LOCAL_GUESTS_H
#define SBX_LOCAL_GUESTS_H

#include "broker/providers/local/box.h"

/*
 * Nobody but these, root and its owner may connect to the socket of that path.
 * SBX_CONFIG: its file system has no such lists.
 */
enum sbx_err guests_admit(const char *path,
    const struct provider_audience *audience, struct sbx_why *why) MUST_USE;

/*
 * End the connections to that socket of all but these, root and its owner, and
 * the processes below them.  Of a connection that the kernel does not tell
 * about nobody knows whose it is: it ends, too.  What has left its connection,
 * as daemons do, is not found.  process_1 has to accept on another socket by
 * now.  As root, for a sandbox with namespaces.
 */
enum sbx_err
guests_end(const struct box *box, pid_t process_1, const char *path,
    const struct provider_audience *audience, struct sbx_why *why) MUST_USE;

#endif
