/* SPDX-License-Identifier: ISC */
/*
 * Who is in a sandbox, and who may get in: sessions and certificates that live.
 */
#ifndef SBX_CTL_VISITS_H
#define SBX_CTL_VISITS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Lines "auto_stop: ...", "session: ..." and "certificate: ..." of a sandbox,
 * if there are; runs: it does.
 */
void visits_print(struct json_object *sandbox, bool runs, uint64_t now);

#endif
