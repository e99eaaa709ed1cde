/* SPDX-License-Identifier: ISC */
/*
 * What the broker answered to "POST /v1/sandboxes/ID/ssh", believed only
 * after it was checked: a broker may be wrong, or lie.
 */
#ifndef SBX_RESOLVE_ANSWER_H
#define SBX_RESOLVE_ANSWER_H

#include <json-c/json.h>

#include "certs/check.h"
#include "proxycmd/resolve/wish.h"
#include "proxycmd/session.h"

#define ANSWER_HOST_KEYS 8
#define ANSWER_HOST_KEY_LEN 4096
#define ANSWER_CERT_LEN 24576 /* CERT_BLOB_MAX in base64, and its type */

/* What was asked for, and from whom. */
struct question {
	const struct alias *alias;
	struct view public_key;	 /* plain key blob */
	uint64_t now;		 /* Unix time, by this machine's clock */
	uint64_t clock;		 /* by the broker's; 0: it did not say */
	uint64_t ttl;		 /* seconds; 0: none was asked for */
	const struct wish *wish; /* to be less than usual; NULL: nothing */
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
 * principal, for longer or for more than asked, or signed by another CA; an
 * endpoint that this broker has no business naming.  There may be no
 * certificate where a gateway knows people by their user names alone, but never
 * if CAs are given.  Times are judged by the broker's clock, whose offset from
 * ours is then taken out of the session; without one, a time that does not fit
 * is SBX_STATE, as it may be our clock that is wrong.  ret is made whatever
 * happens: answer_free it.
 */
enum sbx_err
answer_judge(struct json_object *object, const struct question *question,
    struct answer *ret, struct sbx_why *why) MUST_USE;
void answer_free(struct answer *answer);
#define cleanup_answer __attribute__((cleanup(answer_free)))

#endif
