/* SPDX-License-Identifier: ISC */
/*
 * Which certificates for a single use were used, and by which connection.
 *
 * A certificate is known by its CA and its serial, never by its bytes: those
 * can be changed without breaking the signature.  The first connection that
 * claims it has it; the same connection may claim it again, any other is
 * turned away, for ever as far as the certificate is concerned: a claim goes
 * only after the time at which the certificate ends is on disk as the floor
 * (floor.h).
 *
 * Whoever is killed, at whatever moment, leaves a claim that is whole or
 * none.
 */
#ifndef SBX_AUTHKEYS_LEDGER_H
#define SBX_AUTHKEYS_LEDGER_H

#include "authkeys/connection.h"
#include "authkeys/state.h"
#include "certs/key.h"

/* What one call of ledger_sweep removes at most. */
#define LEDGER_SWEEP_MAX 32

struct claim {
	const uint8_t *ca; /* KEY_ED25519_LEN bytes */
	uint64_t serial;
	uint64_t valid_before;
	const struct connection *connection;
};

/*
 * SBX_OK: it is this connection's, and on disk.  SBX_USED: another's.
 * SBX_EXPIRED: the floor has passed its end meanwhile.  SBX_IO or
 * SBX_UNTRUSTED: it could not be found out, so it must not be let in; if it
 * did not get to disk, nobody has it from then on.
 */
enum sbx_err ledger_claim(const struct state *state, const struct claim *claim,
    struct sbx_why *why) MUST_USE;
/*
 * Remove some claims that ended before the floor on disk.  What resists is
 * left alone.  The caller holds the lock.
 */
void ledger_sweep(const struct state *state, uint64_t floor);

#endif
