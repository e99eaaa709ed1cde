/* SPDX-License-Identifier: ISC */
/*
 * Looks after sandboxes when that is due, ends those that are past their end,
 * forgets certificates that nobody could use any more, and has swept away now
 * and then what is left of calls that were cut short.
 *
 * Their processes are asked to end first, many at once and without waiting for
 * any; then each is stopped, and then its files deleted, by threads of their
 * own, so that neither one that does not end nor a removal that takes long
 * keeps anything running.  People take turns, and some threads are always left
 * for one who has none.  One that resists is tried again later and later, and
 * after all of its person's that were not tried as often.
 */
#ifndef SBX_BROKER_REAPER_H
#define SBX_BROKER_REAPER_H

#include "broker/life/sandboxes.h"

#define REAPER_INTERVAL 5 /* seconds between rounds, at most */
#define REAPER_DELAY_MAX 900

struct reaper;

/* What is done to one sandbox, after it has its turn; sandboxes has them. */
typedef enum sbx_err
reaper_step(struct broker *broker, const char *id, struct sbx_why *why);

/* The same for several at once, at most PROVIDER_BATCH. */
typedef void reaper_batch(struct broker *broker, const char *const *ids,
    size_t count, enum sbx_err *ret);

/* One that resists: when it is tried again; of a sweep id is "".  Any thread.
 */
typedef void reaper_observer(const char *id, unsigned delay, enum sbx_err err,
    const struct sbx_why *why);

struct reaper_steps {
	reaper_batch *quit;
	reaper_step *stop;
	reaper_step *remove;
	reaper_step *look;  /* at one that is due; NULL: none ever is */
	reaper_step *sweep; /* id is ""; NULL: there is nothing to sweep */
	reaper_observer *observer;
};

/* Starts its threads; nothing happens before a round. */
enum sbx_err reaper_new(struct broker *broker, const struct reaper_steps *steps,
    struct reaper **ret) MUST_USE;
/* Look for what has ended since; main calls it in turn.  Does not wait. */
enum sbx_err reaper_round(struct reaper *reaper, struct sbx_why *why) MUST_USE;
/*
 * In how many seconds the next round has something to do, by whole seconds of
 * both clocks; at most REAPER_INTERVAL.
 */
uint64_t reaper_next(struct reaper *reaper) MUST_USE;
/*
 * Begin nothing more, and wait that long for what is under way.  True: all
 * is over and it is freed.  False: it and the broker must be left alone.
 */
bool reaper_end(struct reaper *reaper, unsigned seconds) MUST_USE;

#endif
