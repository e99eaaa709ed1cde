/* SPDX-License-Identifier: ISC */
/* Writing strings as JSON (RFC 8259). */
#ifndef SBX_CERTS_JSON_H
#define SBX_CERTS_JSON_H

#include "common/buf.h"

/*
 * With its quotes.  The result is ASCII: what is not printable becomes
 * \uXXXX, and bytes that are no UTF-8 become U+FFFD, one each.
 */
void json_put_string(struct buf *ret, struct view text);

#endif
