/* SPDX-License-Identifier: ISC */
/*
 * What a sandbox may take and takes, in words.
 */
#ifndef SBX_CTL_LIMITS_H
#define SBX_CTL_LIMITS_H

#include <json-c/json.h>

/* A line for each that the broker's answer has. */
void limits_print(struct json_object *sandbox);

#endif
