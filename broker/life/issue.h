/* SPDX-License-Identifier: ISC */
/*
 * Certificates: who gets one for which sandbox, with which rights, for how
 * long.  The policy is here; the key is in the signer's process.
 */
#ifndef SBX_BROKER_ISSUE_H
#define SBX_BROKER_ISSUE_H

#include "broker/life/sandboxes.h"
#include "certs/cert.h"

#define ISSUE_BACKDATE 60 /* seconds, for clocks that differ */
#define ISSUE_SOURCE_MAX 512
#define ISSUE_COMMAND_MAX 1024
#define ISSUE_LINE_MAX (CERT_BLOB_MAX * 4 / 3 + 128)

struct issue_wish {
	char public_key[KEY_BLOB_MAX * 4 / 3 + 512]; /* TYPE BASE64 [COMMENT] */
	uint64_t ttl;				     /* seconds */
	unsigned permit;			     /* enum permit bits */
	char source_address[ISSUE_SOURCE_MAX];	     /* "": anywhere */
	char force_command[ISSUE_COMMAND_MAX];	     /* "": none */
	bool single_use;
	/* A user name (a token) that did not get in, for another; "": none. */
	char refused_user[PROVIDER_USER_LEN];
};

struct issued {
	struct sandbox sandbox;
	struct provider_access access;
	uint64_t serial;
	uint64_t valid_before;
	/* A line; empty where access.user is what opens.  The caller frees it.
	 */
	struct buf certificate;
	bool too_many; /* SBX_REFUSED because of STORE_CERTIFICATES_MAX */
};

/* Also for a stopped sandbox; its state says so. */
enum sbx_err issue_ssh(struct broker *broker, const struct caller *caller,
    const char *id, const struct issue_wish *wish, struct issued *ret,
    struct sbx_why *why) MUST_USE;

/* A span in which a certificate is good. */
struct validity {
	uint64_t after, before;
};

/*
 * From now and ttl, the sandbox's own start and end, and the ceiling on a
 * certificate's life.  SBX_STATE when nothing is left of it.
 */
enum sbx_err issue_validity(const struct sandbox *sandbox, uint64_t now,
    uint64_t ttl, struct validity *ret, struct sbx_why *why) MUST_USE;

#endif
