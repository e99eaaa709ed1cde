/* SPDX-License-Identifier: ISC */
/*
 * HTTP on the listening UNIX socket: requests in with every length capped,
 * answers out.  What they mean is routes'.
 */
#ifndef SBX_BROKER_HTTP_H
#define SBX_BROKER_HTTP_H

#include "broker/front/routes.h"

struct http;

/* One finished request, for the log. */
struct http_event {
	const struct call *call;
	unsigned status;
	enum sbx_err err;
	const struct sbx_why *why;
};

typedef void http_observer(const struct http_event *event);

/*
 * Serve listen_fd (which then belongs to it) in threads of its own;
 * observer is called from them.
 */
enum sbx_err http_start(struct broker *broker, int listen_fd,
    http_observer *observer, struct http **ret, struct sbx_why *why) MUST_USE;
/* Returns when the last request is answered. */
void http_stop(struct http *http);

#endif
