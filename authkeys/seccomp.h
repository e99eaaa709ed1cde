/* SPDX-License-Identifier: ISC */
/*
 * The system calls that the gate needs after its start; every other one
 * fails as if it were not permitted.  Then it denies, and can still say so.
 *
 * No libseccomp: a filter this small is a table.
 */
#ifndef SBX_AUTHKEYS_SECCOMP_H
#define SBX_AUTHKEYS_SECCOMP_H

#include "common/err.h"

/*
 * For the rest of this process's life.  True also if the kernel or the
 * processor's kind has no such filter, and with sanitizers, which need more.
 */
bool seccomp_apply(void) MUST_USE;

#endif
