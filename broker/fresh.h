/* SPDX-License-Identifier: ISC */
/*
 * Whoever started us left marks on our process.  A broker that a client
 * starts serves others for a long time: nothing of the one who happened to be
 * the first may reach it, or a sandbox.
 *
 * What confines (capabilities, namespaces, seccomp, no_new_privs) is not taken
 * off, nor could most of it be; the control group is left where there is a
 * systemd that makes another.
 */
#ifndef SBX_BROKER_FRESH_H
#define SBX_BROKER_FRESH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For every start, a service manager's too: no signal is ignored or blocked,
 * no descriptor is open but the first three and those in keep.
 */
void fresh_begin(const int *keep, size_t count);
/*
 * The environment, after it was read: also from where /proc/PID/environ
 * shows it.  What remains is a PATH.
 */
void fresh_environment(void);
/*
 * For one that goes to the background: limits, priorities and the rest are as
 * the system's first process gives them to a daemon.  Root can undo
 * all; an ordinary user cannot raise a hard limit nor lower a niceness.  True
 * if something is left, then ret names it.
 */
bool fresh_daemon(char *ret, size_t size);

#endif
