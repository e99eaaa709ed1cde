/* SPDX-License-Identifier: ISC */
#include "proxycmd/prepare.h"

#include "proxycmd/session.h"

enum sbx_err
prepare_run(const char *cache, const struct alias *alias, const char *origin,
    uint64_t now, const struct delegate *delegate, struct sbx_why *why)
{
	struct session session;

	if (session_find(cache, alias, &session) == SBX_OK &&
	    session_is_fresh(&session, now, origin) &&
	    session_is_there(&session))
		return SBX_OK;
	return delegate_exec(delegate, "prepare", alias, why);
}
