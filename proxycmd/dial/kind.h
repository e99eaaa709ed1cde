/* SPDX-License-Identifier: ISC */
/*
 * The kinds of endpoints: one row each, from the text to the connection.
 */
#ifndef SBX_KIND_H
#define SBX_KIND_H

#include "proxycmd/dial/attempt.h"
#include "proxycmd/dial/endpoint.h"
#include "proxycmd/dial/greeting.h"

struct kind {
	const char *prefix; /* "tcp://" */
	const char *form;   /* what follows, for messages: "HOST:PORT" */
	/*
	 * It leads to something of this machine: a broker that was reached
	 * over a network may not name it, but for a tunnel of its own.
	 */
	bool local;
	endpoint_parser *parse;
	bool lookup; /* start is called once for each address of the host */
	attempt_step *start;
	/* what to say to the other side once connected; NULL: nothing */
	greeting_maker *greet;
};

/* The one whose prefix the text has; NULL if there is none. */
const struct kind *kind_find(const char *text) MUST_USE;

#endif
