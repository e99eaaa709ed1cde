/* SPDX-License-Identifier: ISC */
/*
 * Who is in a sandbox, and who may get in: sessions and certificates that live.
 */
#ifndef SBX_CTL_VISITS_H
#define SBX_CTL_VISITS_H

#include <json-c/json.h>
#include <stdint.h>

/* Lines "session: ..." and "certificate: ..." of a sandbox, if there are. */
void visits_print(struct json_object *sandbox, uint64_t now);

#endif
