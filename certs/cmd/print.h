/* SPDX-License-Identifier: ISC */
/* A certificate for people and for programs. */
#ifndef SBX_CERTS_PRINT_H
#define SBX_CERTS_PRINT_H

#include "certs/cert.h"

/* Of a whole CERT_BLOB_MAX every byte may become "\xHH". */
#define PRINT_MAX ((size_t)8 * CERT_BLOB_MAX)

/*
 * The lines that ssh-keygen -L prints below the file's name, byte for byte,
 * with times in the local time zone; but what is not printable ASCII stands
 * as \xHH.  An error if the CA's key is malformed.
 */
enum sbx_err print_text(const struct cert *cert, struct buf *ret) MUST_USE;
/* One JSON object (sandbox-cert(1) lists its members) on one line. */
enum sbx_err print_json(const struct cert *cert, struct buf *ret) MUST_USE;

#endif
