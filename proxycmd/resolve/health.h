/* SPDX-License-Identifier: ISC */
/*
 * What sandbox-proxy doctor asks of the configuration and of the broker, as
 * lines "key=value": what went wrong is a value too.
 */
#ifndef SBX_RESOLVE_HEALTH_H
#define SBX_RESOLVE_HEALTH_H

#include "common/buf.h"
#include "proxycmd/resolve/work.h"

#define HEALTH_MAX 16384

/*
 * config_error  the configuration cannot be used: nothing else is there then
 * domain        the suffix of a [domain], unless asked about a name; for each
 * domain_error  instead: what it lacks
 * file_error    public_key or a trusted_ca cannot be used; for each
 * token         none, SANDBOX_TOKEN, the name of the file or the program
 * token_error   it cannot be had
 * broker        where it is
 * broker_error  it cannot be reached
 * broker_ms     how long GET /v1/health took
 * broker_time   its clock, Unix time
 * broker_warns  what who runs it ought to know
 * state         of the sandbox that was asked about
 * held          it was stopped to stay so
 * full          it has so many connections, its limit
 * refused       time and reason of its login gate's last refusal
 * access_error  it does not let this caller list sandboxes
 */
void health_put(const struct work *work, struct buf *ret);

#endif
