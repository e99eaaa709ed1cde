/* SPDX-License-Identifier: ISC */
/*
 * What credentials are asked to allow, where that is less than usual.  It
 * stands in the cache that they go to, which is theirs alone: so they are no
 * more when they are renewed, and never get into the way of others.
 */
#ifndef SBX_RESOLVE_WISH_H
#define SBX_RESOLVE_WISH_H

#include <json-c/json.h>

#include "certs/check.h"
#include "common/field.h"

#define WISH_FILE "wish"
#define WISH_PERMIT_ANY (~0U)

struct wish {
	uint64_t ttl;	 /* seconds; 0: the usual */
	unsigned permit; /* enum permit bits; WISH_PERMIT_ANY: the usual */
	bool single_use; /* for one connection */
	char source_address[FIELD_TEXT]; /* "": from anywhere */
	char force_command[FIELD_TEXT];	 /* "": any */
};

#define WISH_INIT                         \
	{                                 \
		.permit = WISH_PERMIT_ANY \
	}

/* Is anything less than usual wanted?  A short life alone is nothing of that.
 */
bool wish_is_any(const struct wish *wish) MUST_USE;
/* A list of addresses as certificates have it; SBX_USAGE. */
field_parser wish_field_source_address;

/* The members of a request; SBX_NOMEM. */
enum sbx_err
wish_put(const struct wish *wish, struct json_object *body) MUST_USE;
/* Into the cache, and out of it; none there is the usual. */
enum sbx_err
wish_write(const struct wish *wish, int cache_fd, struct sbx_why *why) MUST_USE;
enum sbx_err
wish_read(int cache_fd, struct wish *ret, struct sbx_why *why) MUST_USE;

/* What the certificate grants beyond that, in words; NULL if nothing. */
const char *
wish_fault(const struct wish *wish, const struct cert_grant *grant) MUST_USE;

#endif
