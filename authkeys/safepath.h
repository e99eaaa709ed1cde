/* SPDX-License-Identifier: ISC */
/*
 * Nobody else can change what stands at a path: every folder above it
 * belongs to root (or to owner) and only its owner can write it.  The rule by
 * which sshd trusts its AuthorizedKeysCommand.
 */
#ifndef SBX_AUTHKEYS_SAFEPATH_H
#define SBX_AUTHKEYS_SAFEPATH_H

#include <limits.h>
#include <sys/types.h>

#include "common/err.h"

/*
 * The folders above path, which is absolute and has no symbolic link in it.
 * owner may be root.  sticky: a folder like /tmp will do, where everybody can
 * write, but nobody can rename what is another's.  SBX_UNTRUSTED, SBX_IO or
 * SBX_NOT_FOUND, why naming the folder.
 */
enum sbx_err safepath_check_above(
    const char *path, uid_t owner, bool sticky, struct sbx_why *why) MUST_USE;
/*
 * A program that only root could have put there: symbolic links are
 * followed, ret is where they lead, and that file and all above it are
 * checked.
 */
enum sbx_err safepath_program(
    const char *path, char ret[static PATH_MAX], struct sbx_why *why) MUST_USE;

#endif
