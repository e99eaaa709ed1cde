/* SPDX-License-Identifier: ISC */
/*
 * Whom a sandbox is shared with, as the broker tells its owner.
 */
#ifndef SBX_CTL_SHARES_H
#define SBX_CTL_SHARES_H

#include <json-c/json.h>

#include "common/buf.h"

/* Texts of an array with commas between; nothing for what is none. */
void shares_put_words(struct json_object *array, struct buf *ret);
/* "BEFOREuser bob: show,ssh", a line each, on stdout. */
void shares_print(const char *before, struct json_object *sandbox);

#endif
