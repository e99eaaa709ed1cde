/* SPDX-License-Identifier: ISC */
/*
 * sandbox-proxy prepare: what ssh runs at every start, so its warm path is
 * one file read and a look at what stands beside it and at the sandbox's
 * socket; no allocation, no lock, no network.  Never wakes a sandbox
 * (ssh -G runs it too).
 */
#ifndef SBX_PREPARE_H
#define SBX_PREPARE_H

#include <stdint.h>

#include "proxycmd/delegate.h"

/*
 * SBX_OK when the credentials are good; otherwise becomes sandbox-resolve
 * and returns only if that cannot be executed.
 */
enum sbx_err prepare_run(const char *cache, const struct alias *alias,
    const char *origin, uint64_t now, const struct delegate *delegate,
    struct sbx_why *why) MUST_USE;

#endif
