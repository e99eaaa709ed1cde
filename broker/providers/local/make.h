/* SPDX-License-Identifier: ISC */
/*
 * Making and removing the folder of a sandbox.
 *
 * It is made as .ID.tmp (temporary.h) and renamed when it is complete, and
 * its removal starts with the reverse.
 */
#ifndef SBX_LOCAL_MAKE_H
#define SBX_LOCAL_MAKE_H

#include "broker/providers/local/box.h"

/* Can a sandbox with this slice be run here?  SBX_REFUSED: the kernel says no.
 */
typedef enum sbx_err make_probe(const struct provider_context *context,
    const struct local_slice *slice, struct sbx_why *why);

/* SBX_EXISTS; nothing is left when it fails. */
enum sbx_err make_box(const struct provider_context *context,
    const struct provider_spec *spec, make_probe *probe, enum isolation *ret,
    struct sbx_why *why) MUST_USE;

/* A sandbox that does not run.  No such sandbox: SBX_OK. */
enum sbx_err unmake_box(const struct provider_context *context, const char *id,
    struct sbx_why *why) MUST_USE;

#endif
