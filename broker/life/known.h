/* SPDX-License-Identifier: ISC */
/*
 * What a provider told of a sandbox that runs.  Who watches it (provider.h)
 * knows whether it still does, without a process; so until then it need not be
 * asked again.  Any thread.
 */
#ifndef SBX_BROKER_KNOWN_H
#define SBX_BROKER_KNOWN_H

#include "broker/store/store.h"

struct known;

/* Of at most about so many sandboxes, a descriptor each. */
enum sbx_err known_new(size_t max, struct known **ret) MUST_USE;
void known_free(struct known *known); /* NULL allowed */

/* False: nothing that is sure to hold. */
bool known_recall(struct known *known, const struct sandbox *sandbox,
    struct provider_access *ret) MUST_USE;
/* Takes watch_fd, -1: this cannot be watched, so nothing is kept. */
void known_keep(struct known *known, const struct sandbox *sandbox,
    const struct provider_access *access, int watch_fd);

#endif
