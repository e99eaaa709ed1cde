/* SPDX-License-Identifier: ISC */
/*
 * Bytes between ssh's socket and a link, both ways, until both directions
 * have ended or ssh is gone.  Nothing is read that cannot be passed on.
 */
#ifndef SBX_TUNNEL_CARRY_H
#define SBX_TUNNEL_CARRY_H

#include "net/link.h"

#define CARRY_BUFFER 65536
#define CARRY_PING 30	 /* seconds without a byte until the peer is asked */
#define CARRY_DEAD 90	 /* and until it is given up */
#define CARRY_FAREWELL 5 /* for what ssh left behind */

/*
 * local is one end of a pair of sockets.  SBX_OK also when ssh went away;
 * SBX_IO when the link broke, SBX_TIMEOUT when the peer fell silent.
 */
enum sbx_err carry_run(int local, struct link *link) MUST_USE;

#endif
