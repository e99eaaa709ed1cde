/* SPDX-License-Identifier: ISC */
/*
 * The names in CACHE/hosts.conf, for people and for programs.
 */
#ifndef SBX_KNOWN_H
#define SBX_KNOWN_H

#include "common/buf.h"

#define KNOWN_MAX (16 * 1024 * 1024)

/*
 * One name a line, or a JSON array of {"host", "user"}; user is there where
 * it is not the snippet's.  No file is no names.
 */
enum sbx_err known_put(const char *cache, bool json, struct buf *ret,
    struct sbx_why *why) MUST_USE;

#endif
