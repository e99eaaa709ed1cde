/* SPDX-License-Identifier: ISC */
/*
 * What to do where sandboxes cannot be made yet: in one line, all the way.
 */
#ifndef SBX_LOCAL_ADVICE_H
#define SBX_LOCAL_ADVICE_H

#include "broker/providers/local/ids.h"

/*
 * The account has no ids for sandboxes: SBX_CONFIG, with the commands that
 * root has to run, and what else there is.
 */
enum sbx_err advice_no_ids(
    const struct provider_context *context, struct sbx_why *why) MUST_USE;
/*
 * "; or ...": how to do without isolation, where that is possible at all,
 * otherwise nothing.
 */
void advice_put_plain(const struct provider_context *context, struct buf *ret);

#endif
