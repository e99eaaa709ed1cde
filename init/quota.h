/* SPDX-License-Identifier: ISC */
/*
 * A limit on what a folder takes of its file system, where the file system
 * itself knows none: it is measured whenever the free space says that it may
 * have grown too much, in a process of its own.
 */
#ifndef SBX_INIT_QUOTA_H
#define SBX_INIT_QUOTA_H

#include <stdint.h>

#include "init/measure.h"

struct quota {
	const char *folder; /* NULL: no limit */
	struct measure max;
	const char *usage; /* file that gets "BYTES FILES\n"; NULL: none */
};

/* How long until the next look while there is something to look for. */
#define QUOTA_TICK_MS 1000

struct quota_watch {
	const struct quota *quota;
	struct measure used; /* by the last measurement */
	struct measure free; /* of the file system, at that time */
	bool known;
	bool over;
	bool stale; /* somebody has run since */
	int fd;	    /* a measurement comes there; -1: none goes on */
	int64_t began_ms, next_ms;
	int64_t told; /* terminals older than this know, in ns */
};

void quota_begin(struct quota_watch *watch, const struct quota *quota);

/*
 * After every poll, of which fd is part; anybody: something runs.  True when
 * the folder has got too large, or has grown since: whatever runs must end,
 * which the terminals were told.  As long as over is set nothing that is
 * started may write.
 */
bool quota_step(struct quota_watch *watch, bool anybody, int64_t now_ms);
/* Milliseconds until the next, -1: not before something happens. */
int quota_timeout_ms(const struct quota_watch *watch);

#endif
