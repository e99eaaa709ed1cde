/* SPDX-License-Identifier: ISC */
#include "proxycmd/prepare.h"

enum sbx_err
prepare_run(const char *cache, const struct alias *alias, const char *origin,
    const struct shell *shell, uint64_t now, const struct delegate *delegate,
    struct session *ret, int *ret_status, struct sbx_why *why)
{
	enum sbx_err err;

	*ret_status = 0;
	if (session_find(cache, alias, ret) == SBX_OK &&
	    session_is_fresh(ret, now, origin) && session_is_there(ret) &&
	    (ret->shell_tried || !shell_is_exposed(shell)))
		return SBX_OK;
	err = delegate_run(
	    delegate, /* quiet= */ true, "prepare", alias, ret_status, why);
	return err != SBX_OK || *ret_status != 0
	    ? err
	    : session_find(cache, alias, ret);
}
