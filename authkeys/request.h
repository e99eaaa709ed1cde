/* SPDX-License-Identifier: ISC */
/*
 * What sshd asks: may the holder of this key log in as this user?  The three
 * words come from AuthorizedKeysCommand's %u, %t and %k; the last two were
 * sent by whoever connects.  %C, from OpenSSH 9.4 on, says from where.
 */
#ifndef SBX_AUTHKEYS_REQUEST_H
#define SBX_AUTHKEYS_REQUEST_H

#include "certs/cert.h"

#define REQUEST_USER_MAX 256
/* Characters of base64 that decode to the largest certificate. */
#define REQUEST_KEY_MAX ((CERT_BLOB_MAX + 2) / 3 * 4)

#define REQUEST_PEER_MAX 64	   /* characters of an address */
#define REQUEST_CONNECTION_MAX 256 /* of all that %C says */

struct request {
	const char *user;		 /* the caller's string */
	char peer[REQUEST_PEER_MAX + 1]; /* its address; "": not known */
	struct buf blob;
	bool certificate; /* false: a plain key of a type that sshd knows */
};

/*
 * Judges only the form: sizes, base64, and that type is the blob's own
 * (SBX_TYPE_MISMATCH) and one we know (SBX_KEY_TYPE).  ret is freed with
 * request_free(), also after an error; user must outlive it.
 */
enum sbx_err request_parse(const char *user, const char *type, const char *key,
    struct request *ret, struct sbx_why *why) MUST_USE;
/*
 * connection is what sshd makes of %C: the peer's address and port, and our
 * own; an address that is none, as UNKNOWN where there is no network, is kept
 * as it is.
 */
enum sbx_err request_set_connection(struct request *request,
    const char *connection, struct sbx_why *why) MUST_USE;
void request_free(struct request *request); /* NULL allowed */
#define cleanup_request __attribute__((cleanup(request_free)))

#endif
