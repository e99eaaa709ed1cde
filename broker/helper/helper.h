/* SPDX-License-Identifier: ISC */
/*
 * A helper is a process of sandboxd's own with one job: signing, or running
 * providers.  One mechanism for both: a SOCK_SEQPACKET pair; a request is
 * one datagram that carries the descriptor its answer goes to, so any number
 * of callers can be under way at once.
 *
 * Requests and answers are SSH wire encodings (common/wire, common/buf) that
 * the two sides of a job define together.  An answer starts with the error
 * code as u32 and the text of why as a string; helper_call takes them off.
 */
#ifndef SBX_BROKER_HELPER_H
#define SBX_BROKER_HELPER_H

#include <sys/types.h>

#include "common/buf.h"

#define HELPER_MESSAGE_MAX 65536

/*
 * What a helper does with a request: put the answer, or return an error with
 * why.  Runs in the helper.  *ret_fd, -1 so far, goes along with the answer,
 * and is closed here.
 */
typedef enum sbx_err helper_job(void *context, struct view request,
    struct buf *answer, int *ret_fd, struct sbx_why *why);

enum helper_mode {
	HELPER_IN_TURN, /* one request after the other */
	HELPER_FORKING, /* every request in a child of its own */
};

/* A connected pair: the caller's end and the helper's. */
enum sbx_err
helper_pair(int *ret_caller, int *ret_helper, struct sbx_why *why) MUST_USE;

/*
 * Serve until the callers' end is closed.  Malformed datagrams are dropped,
 * and those whose descriptor is not one end of an unnamed SOCK_SEQPACKET pair;
 * a caller that went away is no error.
 */
enum sbx_err helper_serve(
    int fd, enum helper_mode mode, helper_job *job, void *context) MUST_USE;

/*
 * Ask and wait; any thread.  SBX_TIMEOUT after timeout seconds (the helper
 * may go on), SBX_UNAVAILABLE when it is gone.  The answer without its
 * error and why is appended to answer.  *ret_fd: a descriptor that came along,
 * or -1; NULL: it is closed.
 */
enum sbx_err helper_call(int fd, struct view request, unsigned timeout,
    struct buf *answer, int *ret_fd, struct sbx_why *why) MUST_USE;

#endif
