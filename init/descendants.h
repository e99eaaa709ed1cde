/* SPDX-License-Identifier: ISC */
/*
 * All the processes below this one.  As process 1 of a PID namespace those
 * are all the others; otherwise this process must be a child subreaper, so
 * that none of them can leave.
 */
#ifndef SBX_INIT_DESCENDANTS_H
#define SBX_INIT_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

/* Send the signal to each; one that comes up meanwhile may be missed. */
void descendants_signal(int sig);

/* Each process that is seen, with its parent; others than those, too. */
void
descendants_each(void (*see)(pid_t pid, pid_t parent, void *arg), void *arg);

/* Collect what has ended; forget(pid, arg) for each.  False: none is left. */
bool descendants_reap(void (*forget)(pid_t pid, void *arg), void *arg);

#endif
