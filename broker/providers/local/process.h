/* SPDX-License-Identifier: ISC */
/*
 * Processes that outlive the call that started them, known again later by
 * their pid together with their start time, so that a pid that was given to
 * another process is never taken for them.
 */
#ifndef SBX_LOCAL_PROCESS_H
#define SBX_LOCAL_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"

struct process {
	pid_t pid;	/* 0: none */
	uint64_t start; /* field 22 of /proc/PID/stat */
};

/* The process that has this pid now; SBX_NOT_FOUND if it is none or dead. */
enum sbx_err process_identify(pid_t pid, struct process *ret) MUST_USE;
bool process_alive(const struct process *process) MUST_USE;
/* A descriptor (pidfd_open(2)) of exactly this one, or -1 when it is gone. */
int process_watch(const struct process *process) MUST_USE;

/*
 * Send SIGTERM, and SIGKILL after grace_ms (0: at once), and wait until it is
 * gone.  SBX_OK also if it was gone before.  SBX_TIMEOUT: it does not die.
 */
/* Send it the signal, if it is still there. */
void process_signal(const struct process *process, int signal);
enum sbx_err process_end(
    const struct process *process, int grace_ms, struct sbx_why *why) MUST_USE;
/* Wait for its end. */
bool process_wait(const struct process *process, int timeout_ms) MUST_USE;

/* Lines "PID START". */
void process_put(const struct process *process, struct buf *ret);
enum sbx_err process_parse(struct view *cursor, struct process *ret) MUST_USE;

#endif
