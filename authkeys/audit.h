/* SPDX-License-Identifier: ISC */
/*
 * The line of the system log that tells what was decided and over whom:
 *
 *	allow user= sandbox= serial= key= ca= keyid= [detail=""]
 *	deny reason=CODE user= sandbox= serial= key= ca= keyid= [detail=""]
 *	chained user= sandbox= serial= key= ca= keyid= [detail=""]
 *
 * serial is decimal: it, key, ca and keyid are what sshd's own line about
 * the login says.
 * What is not known is empty.  Whatever came from outside is escaped, so that
 * no value can look like another field or another line, and cut.
 */
#ifndef SBX_AUTHKEYS_AUDIT_H
#define SBX_AUTHKEYS_AUDIT_H

#include "certs/cert.h"

#define AUDIT_LINE_MAX 4096
#define AUDIT_USER_MAX 64
#define AUDIT_KEY_ID_MAX 256

struct audit {
	enum sbx_err err;	 /* SBX_OK: allowed, or chained without cert */
	const char *user;	 /* "": not known */
	const char *sandbox_id;	 /* the configured one; "": not known */
	const struct cert *cert; /* NULL: could not be taken apart */
	const char *detail;	 /* the particulars; "": none */
	struct view key;	 /* the plain key that it was, if len > 0 */
};

/* Without a newline.  ret should have room for AUDIT_LINE_MAX bytes. */
void audit_put(const struct audit *audit, struct buf *ret);

#endif
