/* SPDX-License-Identifier: ISC */
/* The two files of a new CA. */
#ifndef SBX_CERTS_CA_FILES_H
#define SBX_CERTS_CA_FILES_H

#include "certs/keyfile.h"

#define CA_COMMENT "sandbox-ca"

/*
 * Make an Ed25519 pair: path with mode 0600, path.pub with 0644.  SBX_EXISTS
 * if one of them is there: nothing is replaced, and nothing left behind.  The
 * public key is ret.
 */
enum sbx_err ca_files_make(const char *path, const char *comment,
    uint8_t ret[static KEY_ED25519_LEN], struct sbx_why *why) MUST_USE;

/* SBX_USAGE unless it is printable, so that it can stand behind a key. */
enum sbx_err
ca_comment_check(const char *comment, struct sbx_why *why) MUST_USE;

#endif
