/* SPDX-License-Identifier: ISC */
/*
 * How long one ssh waits for a broker: once, though it may be asked several
 * times, by prepare and by connect.  While it is known to be silent, prepare
 * only has a look: who has a control connection needs nothing of it, and for
 * everybody else connect waits.
 */
#ifndef SBX_RESOLVE_PATIENCE_H
#define SBX_RESOLVE_PATIENCE_H

#include "net/client.h"
#include "proxycmd/dial/deadline.h"
#include "proxycmd/resolve/cache.h"
#include "proxycmd/resolve/work.h"

struct patience {
	struct deadline deadline;
	bool hurried;	/* ssh has a ConnectTimeout */
	bool glances;	/* it was silent before: a second, and no note of it */
	uint64_t since; /* when ssh began, as in silence.h; 0: no ssh waits */
	bool asks;	/* since check, until end */
	uint64_t asked; /* deadline.h's clock */
	int cache_fd;
	char suffix[FIELD_TEXT];
	char place[FIELD_TEXT];
};

/* broker is the place of the one that settings have chosen. */
void patience_begin(struct patience *ret, const struct work *work,
    const struct settings *settings, const char *broker,
    const struct place *place);

/* In all of these NULL allowed, which means no limit of its own. */

/* Seconds to wait for a lock, at most that many. */
unsigned patience_lock(const struct patience *p, unsigned seconds);
/* SBX_OK: ask.  Otherwise this ssh has waited in vain, with that result. */
enum sbx_err patience_check(struct patience *p, struct sbx_why *why) MUST_USE;
/* Shorten the client's timeout to what is left, at least a second. */
void patience_apply(const struct patience *p, struct client *client);
/* What came of it is remembered, if it took long. */
void
patience_end(struct patience *p, enum sbx_err err, const struct sbx_why *why);

#endif
