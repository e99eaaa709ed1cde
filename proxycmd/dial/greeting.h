/* SPDX-License-Identifier: ISC */
/*
 * What some connections want to hear before the SSH server behind them can
 * be heard: a short request, a short answer.  Not a byte behind the answer
 * is read: it belongs to ssh.
 */
#ifndef SBX_GREETING_H
#define SBX_GREETING_H

#include <stddef.h>

#include "common/buf.h"
#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/endpoint.h"

#define GREETING_MAX 8192 /* bytes of either */

struct greeting;

/* Is the answer a yes?  It is whole, and ends with its NUL. */
typedef enum sbx_err greeting_judge(
    const struct greeting *greeting, const char *answer, struct sbx_why *why);

struct greeting {
	const struct endpoint *endpoint;
	struct buf request; /* may hold a password; wiped when freed */
	size_t sent;
	const char *end; /* what the answer ends with */
	size_t max;	 /* and how long it may be */
	struct buf answer;
	greeting_judge *judge;
};

typedef enum sbx_err greeting_maker(const struct endpoint *endpoint,
    const struct dial_setup *setup, struct greeting *ret, struct sbx_why *why);

/* "CONNECT port\n", and "OK number\n" for an answer. */
greeting_maker greeting_mux;
/* HTTP CONNECT, with the credentials that the user has for that proxy. */
greeting_maker greeting_proxy;

/*
 * Go on over fd, which does not block.  SBX_OK: it is over, and the next
 * byte is the server's.  SBX_STATE: wait for *ret_events.
 */
enum sbx_err greeting_step(struct greeting *greeting, int fd, short *ret_events,
    struct sbx_why *why) MUST_USE;
void greeting_free(struct greeting *greeting);

#endif
