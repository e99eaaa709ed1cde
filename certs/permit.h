/* SPDX-License-Identifier: ISC */
/*
 * What a login may do.  One table: the certificate's extension, the word of
 * an authorized_keys line after "restrict", and our own word for it in
 * configuration files, on command lines and in the broker's API.
 */
#ifndef SBX_CERTS_PERMIT_H
#define SBX_CERTS_PERMIT_H

#include "common/field.h"
#include "common/wire.h"

enum permit {
	PERMIT_X11 = 1 << 0,
	PERMIT_AGENT = 1 << 1,
	PERMIT_PORT = 1 << 2,
	PERMIT_PTY = 1 << 3,
	PERMIT_USER_RC = 1 << 4,
};

struct permit_row {
	enum permit bit;
	const char *extension; /* "permit-port-forwarding" */
	const char *word;      /* "port-forwarding", also the key line's */
};

/* In the order in which certificates must have them (sorted). */
extern const struct permit_row permit_rows[];
extern const size_t permit_row_count;

#define PERMIT_DEFAULT (PERMIT_AGENT | PERMIT_PORT | PERMIT_PTY)
#define PERMIT_DEFAULT_WORDS "agent-forwarding port-forwarding pty"

/* A word to its bit; 0 if it is none. */
unsigned permit_of_word(const char *word) MUST_USE;
/* unsigned; "none" or words between blanks or commas; replaces. */
field_parser field_permit;

#endif
