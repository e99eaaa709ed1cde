/* SPDX-License-Identifier: ISC */
/*
 * The key exchange of a connection that never leaves this machine.
 *
 * The first choice of OpenSSH 9.0 to 9.9, sntrup761x25519, costs most of a
 * login: it protects what is recorded on a network, and a UNIX socket has
 * none.  curve25519-sha256 is as good there.  From 10.0 on the first choice is
 * mlkem768x25519, which is fast, and later ones warn of others.
 */
#ifndef SBX_RESOLVE_KEX_H
#define SBX_RESOLVE_KEX_H

#include "proxycmd/resolve/caller.h"

/*
 * Is the choice ours, and is there one to make?  ssh is asked (ssh -G) what it
 * would do, and what it would do without any configuration: if the two differ,
 * a person or a policy has chosen.  False where it cannot be told.
 */
bool kex_is_ours(const struct caller *caller, const char *alias);

#endif
