/* SPDX-License-Identifier: ISC */
/*
 * The snippet for ssh_config(5), out of the one text that also makes the
 * installed sandbox.conf (ssh_config.d/sandbox.conf.in).
 */
#ifndef SBX_CONFIG_TEXT_H
#define SBX_CONFIG_TEXT_H

#include "common/buf.h"

#define CONFIG_TEXT_MAX 16384
#define CONFIG_TEXT_CACHE "~/.cache/sandbox-ssh" /* ssh expands the ~ */

struct config_text {
	const char *program; /* absolute path of sandbox-proxy */
	const char *cache;   /* "" for each user's own */
	const char *config;  /* "" for the usual ones */
	const char *suffix;  /* checked with name_is_suffix */
	/*
	 * For clients that take no descriptor and know neither Match exec
	 * nor Include; connect gets the credentials then.
	 */
	bool stdio;
};

/*
 * SBX_BAD_VALUE for a path that ssh_config or a shell would take apart:
 * quotes, backslash, %, $, wildcards and control characters.
 */
enum sbx_err config_text_put(const struct config_text *text, struct buf *ret,
    struct sbx_why *why) MUST_USE;
/* One argument of ssh_config: in double quotes if it needs them. */
enum sbx_err config_text_put_path(
    const char *path, struct buf *ret, struct sbx_why *why) MUST_USE;

#endif
