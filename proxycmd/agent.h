/* SPDX-License-Identifier: ISC */
/*
 * What ssh(1) needs the person's ssh-agent for on its way to a sandbox.  The
 * key is ours and in a file, so mostly for nothing; and one that accepts and
 * does not answer would keep ssh waiting for ever.
 */
#ifndef SBX_AGENT_H
#define SBX_AGENT_H

#include <sys/types.h>

#include "proxycmd/session.h"

#define AGENT_TIME 2000 /* milliseconds to list its keys */

/*
 * Does the agent at that socket, which may be NULL, list its keys in time?
 * milliseconds for all of it.
 */
bool agent_answers(const char *socket, unsigned milliseconds) MUST_USE;

/*
 * Is the private key to these credentials in no file, or in one that is
 * encrypted?
 */
bool agent_has_key(const char *cache, const struct alias *alias,
    const struct session *session) MUST_USE;

/*
 * May the ssh that is that process forward the agent?  Its command line says
 * so, or its configuration does above our lines, for whatever host.
 */
bool agent_is_forwarded(pid_t ssh, const char *home) MUST_USE;

#endif
