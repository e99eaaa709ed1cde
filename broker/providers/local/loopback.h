/* SPDX-License-Identifier: ISC */
/*
 * The network of a sandbox: nothing but a loopback.
 */
#ifndef SBX_LOCAL_LOOPBACK_H
#define SBX_LOCAL_LOOPBACK_H

#include <stdbool.h>

/* The sandbox's name, in its /etc/hosts. */
#define LOOPBACK_SELF "127.0.1.1"

/*
 * Bring up that of a new network namespace, where we are root.  It has an
 * address of each family beside 127.0.0.1 and ::1: getaddrinfo(3) with
 * AI_ADDRCONFIG, which many programs ask, finds nothing of a family, not even
 * localhost, that has no other.  False with errno set.
 */
bool loopback_up(void);

#endif
