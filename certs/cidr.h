/* SPDX-License-Identifier: ISC */
/*
 * The value of a certificate's source-address: a list of addresses and
 * address ranges that a login may come from.
 */
#ifndef SBX_CERTS_CIDR_H
#define SBX_CERTS_CIDR_H

#include "common/wire.h"

#define CIDR_LIST_MAX 64 /* entries */

/*
 * Entries "ADDRESS" or "ADDRESS/BITS" between commas, each in the one form
 * that inet_ntop(3) gives it, without bits set behind the prefix and without
 * IPv4 addresses mapped into IPv6: sshd compares the address family too, so
 * such an entry never matches what its author meant.
 */
bool cidr_list_is_canonical(struct view list) MUST_USE;

/*
 * Is address, as inet_ntop(3) gives it, one of the list's?  Not if it is no
 * address, or stands behind an entry that is malformed.
 */
bool cidr_list_has(struct view list, const char *address) MUST_USE;

#endif
