/* SPDX-License-Identifier: ISC */
/*
 * Who waits for something to happen.  Each costs a connection and its thread,
 * so a person may have but so many; one whose caller has gone ends at once.
 */
#ifndef SBX_BROKER_WATCH_H
#define SBX_BROKER_WATCH_H

#include <sys/types.h>

#include "common/err.h"

#define WATCH_MAX 16 /* of one person */
#define WATCH_UNLIMITED ((uid_t)-1)

struct watch;
struct watcher;

enum sbx_err watch_new(struct watch **ret) MUST_USE;
void watch_free(struct watch *watch); /* NULL allowed; nobody waits */
/* Nobody waits any more, nor later. */
void watch_close(struct watch *watch);
/* Something has happened.  Any thread; does not wait. */
void watch_wake(struct watch *watch);

/*
 * From now on what happens is not missed.  SBX_UNAVAILABLE: this person
 * (persons.h, or WATCH_UNLIMITED) has WATCH_MAX already.
 */
enum sbx_err watch_begin(struct watch *watch, uid_t person,
    struct watcher **ret, struct sbx_why *why) MUST_USE;
/*
 * Wait until something has happened since the last time, at most so many
 * milliseconds.  fd: the caller's connection.  False: the time is up, the
 * caller has gone, or the watch is closed.
 */
bool watch_wait(struct watcher *watcher, int fd, unsigned milliseconds);
void watch_end(struct watcher *watcher); /* NULL allowed */

#endif
