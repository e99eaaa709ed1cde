/* SPDX-License-Identifier: ISC */
/*
 * GET /v1/sandboxes, page after page: with a limit to how many there are and
 * to how long it takes, whatever the broker says.
 */
#ifndef SBX_NET_PAGES_H
#define SBX_NET_PAGES_H

#include "common/buf.h"
#include "net/client.h"

struct pages {
	const char *query; /* of pages_put_query, or "" */
	size_t max;	   /* items */
	uint64_t seconds;  /* until no further page is asked for */
	enum sbx_err (*take)(
	    void *context, struct json_object *item, struct sbx_why *why);
	void *context;
};

/* "&name=value", percent-encoded (RFC 3986). */
void pages_put_query(struct buf *query, const char *name, const char *value);
/*
 * Every item goes to take, whose error ends it.  *ret_complete: there were no
 * more than max.
 */
enum sbx_err pages_read(struct client *client, const struct pages *pages,
    bool *ret_complete, struct sbx_why *why) MUST_USE;

#endif
