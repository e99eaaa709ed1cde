/* SPDX-License-Identifier: ISC */
/*
 * The token that a broker knows the user by.
 */
#ifndef SBX_NET_TOKEN_H
#define SBX_NET_TOKEN_H

#include "net/settings.h"

/*
 * SANDBOX_TOKEN, token_file or what token_command prints, whichever is set
 * first; "" if none is.  ret has FIELD_TEXT bytes: wipe it.
 */
enum sbx_err token_find(
    const struct settings *settings, char *ret, struct sbx_why *why) MUST_USE;

#endif
