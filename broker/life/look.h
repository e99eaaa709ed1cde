/* SPDX-License-Identifier: ISC */
/*
 * Looking after a sandbox that lives: whoever is in it is told that its end is
 * near, and one that nobody is in is stopped after its auto_stop.
 */
#ifndef SBX_BROKER_LOOK_H
#define SBX_BROKER_LOOK_H

#include "broker/life/sandboxes.h"

/* Everybody is told so many seconds ahead, and then so many. */
#define LOOK_FIRST 300
#define LOOK_LAST 60

/* The warning for one that has so many seconds left; 0: none yet. */
uint64_t look_warning(uint64_t left) MUST_USE;
/* In how many seconds its next warning is; 0: there is none any more. */
uint64_t look_until(uint64_t left) MUST_USE;

/*
 * What is due for this one now, and when somebody has to look again.
 * SBX_NOT_FOUND; SBX_STATE when somebody else is at work on it.
 */
enum sbx_err
look_after(struct broker *broker, const char *id, struct sbx_why *why) MUST_USE;

#endif
