/* SPDX-License-Identifier: ISC */
/*
 * What happens to sandboxes, as the broker tells it: GET /v1/events, from a
 * number on.
 */
#ifndef SBX_CTL_FOLLOW_H
#define SBX_CTL_FOLLOW_H

#include "ctl/ctl.h"

#define FOLLOW_NOW INT64_MAX /* behind all that there are */
#define FOLLOW_WAIT 60	     /* seconds, at most */

struct follow {
	const char *sandbox; /* an id; NULL: any */
	uint64_t next;	     /* what comes behind this number; 0: all */
	bool at_end;	     /* the last answer had no more to give */
};

/* One event of the answer, in order; its error ends it. */
typedef enum sbx_err
follow_taker(void *context, struct json_object *event, struct sbx_why *why);

/*
 * One answer's worth of them.  If there is none the broker waits for one, at
 * most so many seconds.
 */
enum sbx_err
follow_read(struct follow *follow, struct broker *broker, unsigned wait,
    follow_taker *take, void *context, struct sbx_why *why) MUST_USE;

#endif
