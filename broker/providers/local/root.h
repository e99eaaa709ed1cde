/* SPDX-License-Identifier: ISC */
/*
 * The root file system of a sandbox that has one of its own: a folder of the
 * host, or what a tar had when the sandbox was made.  Who wants it must be
 * able to read it.
 */
#ifndef SBX_LOCAL_ROOT_H
#define SBX_LOCAL_ROOT_H

#include "broker/providers/local/box.h"

/*
 * box->root is the path; nothing is done if it is "".  A tar is unpacked into
 * the box.  SBX_BAD_VALUE: it is none of both, or not to be read by the owner.
 */
enum sbx_err root_take(const struct provider_context *context,
    const struct box *box, struct sbx_why *why) MUST_USE;

/* The folder, for a start; -1 where it is the host's root. */
enum sbx_err
root_open(const struct box *box, int *ret_fd, struct sbx_why *why) MUST_USE;

#endif
