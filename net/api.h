/* SPDX-License-Identifier: ISC */
/*
 * The REST API of a platform that sandboxes run on: calls and pages, other
 * tries where the platform is busy or was not there, and one line for each
 * way it may fail.
 */
#ifndef SBX_NET_API_H
#define SBX_NET_API_H

#include <json-c/json.h>

#include "net/http.h"

struct api {
	const char *who;	    /* "daytona", for messages */
	const char *base;	    /* "https://app.daytona.io/api" */
	const char *bearer;	    /* its key, which is in no message */
	const char *const *headers; /* more of them, ends with NULL; or NULL */
	const char *ca_file;	    /* or NULL */
	unsigned timeout;	    /* seconds, of one request */
	uint64_t deadline;	    /* of all of them: api_now() + seconds */
};

/* CLOCK_MONOTONIC, in milliseconds. */
uint64_t api_now(void) MUST_USE;
/* Sleep, or return false at once when the deadline would pass meanwhile. */
bool api_pause(const struct api *api, uint64_t milliseconds) MUST_USE;

/* "%" and so on in a path or a query. */
void api_put_escaped(struct buf *path, const char *text);

struct api_call {
	const char *method;
	const char *path; /* behind base: "/sandbox/x" */
	struct json_object *body;
	/* It does no harm to ask again where nobody knows whether it was done.
	 */
	bool harmless;
};

/*
 * *ret (caller frees) is the object that was answered, NULL if nothing was;
 * ret NULL: it is not looked at.  What is busy (429) is asked again when it
 * says, what failed (5xx, no connection) a few times more, until the deadline.
 *
 * SBX_CONFIG: the key is not accepted, or not for this; SBX_NOT_FOUND;
 * SBX_STATE: not possible as it stands; SBX_UNAVAILABLE, SBX_TIMEOUT: it is
 * busy or down; SBX_PROTOCOL: no answer of an API.
 */
enum sbx_err api_call(const struct api *api, const struct api_call *call,
    struct json_object **ret, struct sbx_why *why) MUST_USE;

/* GET, page after page, each item going to take, whose error ends it. */
struct api_pages {
	const char *path; /* with "?" and a query, to which a cursor is added */
	const char *items;  /* the member that is an array */
	const char *cursor; /* the parameter, and the member with its next */
	const char *next;
	size_t max; /* items */
	enum sbx_err (*take)(
	    void *context, struct json_object *item, struct sbx_why *why);
	void *context;
};

/* SBX_TOO_LARGE when there are more than max. */
enum sbx_err api_pages(const struct api *api, const struct api_pages *pages,
    struct sbx_why *why) MUST_USE;

#endif
