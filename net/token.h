/* SPDX-License-Identifier: ISC */
/*
 * The token that a broker knows the user by, or a platform the broker: the
 * first line of a file or of what a command prints, one word.
 */
#ifndef SBX_NET_TOKEN_H
#define SBX_NET_TOKEN_H

#include "net/settings.h"

/*
 * From a file that nobody but its owner can read; from a command, which is
 * words between blanks, no shell, the first an absolute path.  key is the name
 * of the setting, for messages.  Wipe ret.
 */
enum sbx_err token_of_file(const char *key, const char *file, char *ret,
    size_t size, struct sbx_why *why) MUST_USE;
enum sbx_err token_of_command(const char *key, const char *command,
    unsigned timeout, char *ret, size_t size, struct sbx_why *why) MUST_USE;

/*
 * SANDBOX_TOKEN, token_file or what token_command prints, whichever is set
 * first; "" if none is.  ret has FIELD_TEXT bytes: wipe it.
 */
enum sbx_err token_find(
    const struct settings *settings, char *ret, struct sbx_why *why) MUST_USE;

#endif
