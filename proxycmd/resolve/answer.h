/* SPDX-License-Identifier: ISC */
/*
 * What the broker answered to "POST /v1/sandboxes/ID/ssh", believed only
 * after it was checked: a broker may be wrong, or lie.
 */
#ifndef SBX_RESOLVE_ANSWER_H
#define SBX_RESOLVE_ANSWER_H

#include <json-c/json.h>

#include "certs/check.h"
#include "proxycmd/session.h"

#define ANSWER_HOST_KEYS 8
#define ANSWER_HOST_KEY_LEN 4096
#define ANSWER_CERT_LEN 24576 /* CERT_BLOB_MAX in base64, and its type */

/* What was asked for, and from whom. */
struct question {
	const struct alias *alias;
	struct view public_key; /* plain key blob */
	uint64_t now;		/* Unix time */
	uint64_t ttl;		/* seconds */
	/* The URL of a broker that was reached over a network, or NULL. */
	const char *broker;
	/* Who must have signed; NULL: whoever the sandbox trusts. */
	const struct ca_set *trusted;
};

struct answer {
	struct session session;
	struct buf certificate; /* the texts of the files; may be empty */
	struct buf known_hosts;
};

/*
 * SBX_PROTOCOL if it is not an answer of that form, SBX_REFUSED if it is but
 * must not be used: a certificate for another key or sandbox, with another
 * principal, for longer than asked, or signed by another CA; an endpoint that
 * this broker has no business naming.  There may be no certificate where a
 * gateway knows people by their user names alone, but never if CAs are
 * given.  ret is made whatever happens: answer_free it.
 */
enum sbx_err
answer_judge(struct json_object *object, const struct question *question,
    struct answer *ret, struct sbx_why *why) MUST_USE;
void answer_free(struct answer *answer);
#define cleanup_answer __attribute__((cleanup(answer_free)))

#endif
