/* SPDX-License-Identifier: ISC */
/*
 * What is told of sandboxes.  An event is made once: it becomes a row of the
 * store, in the transaction of the change that it tells of, and a line of the
 * log, and whoever waits for it is woken.
 */
#ifndef SBX_BROKER_EVENTS_H
#define SBX_BROKER_EVENTS_H

#include "broker/life/quota.h"
#include "broker/life/sandboxes.h"

#define EVENTS_WAIT_MAX 60 /* seconds */
#define EVENTS_LIMIT 200   /* in one answer */

/* About a sandbox; by may be NULL: nobody asked. */
void event_begin(struct event *ret, const struct broker *broker,
    enum event_kind kind, const struct sandbox *sandbox, const char *cause,
    const char *by);
/* What does not fit, and what is not printable, is not lost but escaped. */
void event_set_detail(struct event *event, const char *text);
/*
 * It is so, whether or not the store could have its row.  caller: whose share
 * of the log it takes; NULL: of nobody's.
 */
void event_tell(struct broker *broker, const struct event *event,
    const struct caller *caller);

/*
 * Somebody was told no, about this sandbox if it is theirs to see; "": about
 * none.
 */
void events_refuse(struct broker *broker, const struct caller *caller,
    const char *id, enum sbx_err err, const struct sbx_why *why);
/* What the login gate of a sandbox says that it refused, if that is news. */
void events_note_refusal(struct broker *broker, struct sandbox *sandbox,
    const struct refusal *refusal);

struct events_wish {
	uint64_t after; /* numbers above this */
	const char *id; /* of this sandbox; NULL: any */
	size_t limit;	/* at most EVENTS_LIMIT */
	unsigned wait;	/* seconds for the first, at most EVENTS_WAIT_MAX */
	int fd;		/* the caller's connection */
};

struct events_told {
	struct event *events; /* EVENTS_LIMIT at most; free it */
	size_t count;
	uint64_t next;
	bool crowded; /* SBX_UNAVAILABLE: too many calls of theirs wait */
};

/*
 * The events that this caller may see.  All up to next are among them or were
 * not for them; if there are none, and time was left, there is more to ask for
 * behind it.
 */
enum sbx_err events_read(struct broker *broker, const struct caller *caller,
    const struct events_wish *wish, struct events_told *ret,
    struct sbx_why *why) MUST_USE;

#endif
