/* SPDX-License-Identifier: ISC */
/*
 * ssh(1) reads its configuration twice for one connection where a Match final
 * is in it, and so runs prepare twice.  What the first run had to ask for, the
 * second need not ask again: CACHE/.prepared says who asked last, and what came
 * of it.
 */
#ifndef SBX_ASKED_H
#define SBX_ASKED_H

#include <stdint.h>
#include <sys/types.h>

#include "common/name.h"

#define ASKED_FILE ".prepared"
#define ASKED_SECONDS 120 /* from one reading to the next */

/* Has that ssh asked about alias a moment ago?  The exit status was then. */
bool asked_find(const char *cache, const struct alias *alias, pid_t ssh,
    uint64_t now, int *ret_status) MUST_USE;
/* Only a hint: nothing is said if it cannot be kept. */
void asked_put(const char *cache, const struct alias *alias, pid_t ssh,
    uint64_t now, int status);

#endif
