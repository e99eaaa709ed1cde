/* SPDX-License-Identifier: ISC */
/*
 * The one line that lets somebody in: authorized_keys(5) text on standard
 * output, by which sshd checks the certificate a second time.
 */
#ifndef SBX_AUTHKEYS_LINE_H
#define SBX_AUTHKEYS_LINE_H

#include "certs/key.h"

/* Far below PIPE_BUF: one write, and sshd reads all of it or nothing. */
#define LINE_MAX_LEN 1024

/*
 * Append "cert-authority,principals="ID",restrict,... ssh-ed25519 CA\n".
 * Id and CA are the configured ones, never the certificate's.  An id that is
 * none poisons ret (SBX_INTERNAL).
 */
void line_put(const char *sandbox_id, unsigned permit,
    const uint8_t ca[static KEY_ED25519_LEN], struct buf *ret);

#endif
