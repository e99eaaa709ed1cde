/* SPDX-License-Identifier: ISC */
/*
 * What one of sandboxd's processes does to itself before its work: no more
 * descriptors, rights and signals than it needs.
 */
#ifndef SBX_BROKER_PROCESS_H
#define SBX_BROKER_PROCESS_H

#include <sys/types.h>

#include "common/err.h"

#define PROCESS_FDS_MAX 16

/* Close everything but standard input, output, error and these; -1: none. */
void process_keep_fds(const int *fds, size_t count);
/* As many open files as may be: for one that holds everybody's connections. */
void process_raise_files(void);
/* As ps shows it, at most 15 bytes. */
void process_title(const char *title);
/*
 * For good: uid and gid in all their forms, no supplementary groups, no way
 * to gain rights by exec.  Only root may call it with another id than its
 * own; otherwise ids stay.
 */
enum sbx_err process_drop(uid_t id, struct sbx_why *why) MUST_USE;
/* No core dump, no ptrace, no reading of /proc/PID/mem by its own uid. */
enum sbx_err process_hide(struct sbx_why *why) MUST_USE;
/*
 * Get signal when the parent dies; false if it is dead already.  Only after
 * process_drop, which undoes it.
 */
bool process_follow(pid_t parent, int signal) MUST_USE;

#endif
