/* SPDX-License-Identifier: ISC */
#include "proxycmd/prepare.h"

#include "proxycmd/asked.h"

static bool
is_enough(const struct prepare_request *r, struct session *ret)
{
	return session_find(r->cache, r->alias, ret) == SBX_OK &&
	    session_is_fresh(ret, r->now, r->origin) && session_is_there(ret) &&
	    (ret->shell_tried || !shell_is_exposed(r->shell));
}

/* What came of it when this ssh asked before, if it did. */
static bool
was_asked(const struct prepare_request *r, struct session *ret, int *ret_status)
{
	return r->ssh != 0 &&
	    asked_find(r->cache, r->alias, r->ssh, r->now, ret_status) &&
	    (*ret_status != 0 ||
		session_find(r->cache, r->alias, ret) == SBX_OK);
}

enum sbx_err
prepare_run(const struct prepare_request *request, struct session *ret,
    int *ret_status, struct sbx_why *why)
{
	const struct prepare_request *r = request;
	enum sbx_err err;

	*ret_status = 0;
	if (is_enough(r, ret) || was_asked(r, ret, ret_status))
		return SBX_OK;
	err = delegate_run(r->delegate, /* quiet= */ true, "prepare", r->alias,
	    ret_status, why);
	if (err == SBX_OK && *ret_status == 0)
		err = session_find(r->cache, r->alias, ret);
	/* What is good for longer need not be asked for again anyway. */
	if (err == SBX_OK && r->ssh != 0 &&
	    (*ret_status != 0 || !session_is_fresh(ret, r->now, r->origin)))
		asked_put(r->cache, r->alias, r->ssh, r->now, *ret_status);
	return err;
}
