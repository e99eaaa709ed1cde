/* SPDX-License-Identifier: ISC */
/*
 * Whom a user id counts as, where people share something: connections,
 * calls, lines of the log, sandboxes.  An account can take on every uid of
 * its ranges in subuid(5), so these count as that account.  What a uid may
 * do is another question (access): a container's uid is not its owner.
 */
#ifndef SBX_BROKER_PERSONS_H
#define SBX_BROKER_PERSONS_H

#include "broker/settings.h"

#define PERSONS_SUBUID "/etc/subuid"

struct persons;

/*
 * subuid: path of the file, read again whenever it has changed; without it
 * each uid counts as itself.
 */
enum sbx_err persons_new(const struct broker_settings *settings,
    const char *subuid, struct persons **ret) MUST_USE;
void persons_free(struct persons *persons); /* NULL allowed */

/*
 * The account whose range has it, the first in the file if there are
 * several.  All of sandboxd's own range are one, named by its first uid; so
 * are those of a range whose account does not exist, or is root or has this
 * broker: whom nothing limits, they do not become.  Any other uid is itself.
 * Any thread.
 */
uid_t person_of(struct persons *persons, uid_t uid) MUST_USE;

#endif
