/* SPDX-License-Identifier: ISC */
#include "proxycmd/host_key.h"

#include <fcntl.h>
#include <string.h>

#include "common/file.h"
#include "common/paths.h"
#include "common/text.h"
#include "proxycmd/session.h"

/* Does the broker's word, as it was last, have that line? */
static bool
is_known(const char *cache, const struct alias *alias, struct view want)
{
	cleanup_buf struct buf text = BUF_INIT(HOST_KEY_MAX);
	char path[PATHS_MAX + NAME_ALIAS_MAX];
	struct view rest, line;

	if (snprintf(path, sizeof(path), "%s/%s/" CACHE_KNOWN_HOSTS, cache,
		alias->text) >= (int)sizeof(path) ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	rest = buf_view(&text);
	while (text_next_line(&rest, &line)) {
		if (view_eq(line, want))
			return true;
	}
	return false;
}

enum sbx_err
host_key_put(const struct host_key_request *request, struct buf *ret,
    int *ret_status, struct sbx_why *why)
{
	const struct host_key_request *r = request;
	cleanup_buf struct buf line = BUF_INIT(HOST_KEY_MAX);
	struct session session;
	enum sbx_err err;

	*ret_status = 0;
	if (strcmp(r->type, HOST_KEY_NONE) == 0 ||
	    session_read(r->cache, r->alias, &session) != SBX_OK ||
	    session_is_local(&session))
		return SBX_OK;
	buf_printf(&line, "%s %s %s", r->alias->text, r->type, r->key);
	if (buf_error(&line) != SBX_OK)
		return buf_error(&line);
	if (!is_known(r->cache, r->alias, buf_view(&line))) {
		err = delegate_run(r->delegate, /* quiet= */ false, "renew",
		    r->alias, ret_status, why);
		if (err != SBX_OK || *ret_status != 0)
			return err;
		if (!is_known(r->cache, r->alias, buf_view(&line)))
			return SBX_OK;
		err = session_find(r->cache, r->alias, &session);
		if (err == SBX_OK && !session.anew &&
		    session.file[SESSION_CERT])
			return sbx_fail(why, SBX_STATE,
			    "%s was made anew, and ssh has read its old "
			    "certificate: the new one is there now, so ssh "
			    "again",
			    session.id);
	}
	buf_put_view(ret, buf_view(&line));
	buf_put_text(ret, "\n");
	return buf_error(ret);
}
