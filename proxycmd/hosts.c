#include "proxycmd/hosts.h"

#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/session.h"

#define HOSTS_HEAD \
	"# Made by sandbox-ssh from its cache: changes here are lost.\n"

bool
hosts_is_user(const char *user)
{
	size_t len = strlen(user);

	if (len == 0 || len > NAME_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = user[i];

		if (!(c >= 'a' && c <= 'z') && c != '_' &&
		    (i == 0 || (!(c >= '0' && c <= '9') && c != '-')))
			return false;
	}
	return true;
}

/* A folder's name as an alias, whatever its suffix. */
static bool
alias_of(const char *name, struct alias *ret)
{
	const char *dot = strchr(name, '.');

	*ret = (struct alias){ .text = "" };
	return dot != NULL && name_is_suffix(name) &&
	    text_copy(VIEW(name, (size_t)(dot - name)), ret->id,
		sizeof(ret->id)) == SBX_OK &&
	    text_copy(VIEW_STR(name), ret->text, sizeof(ret->text)) == SBX_OK;
}

static int
only_names(const struct dirent *entry)
{
	struct alias alias;

	return alias_of(entry->d_name, &alias);
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
put_host(const char *cache, const char *name, uint64_t now, struct buf *ret)
{
	struct session session;
	struct alias alias;

	if (!alias_of(name, &alias) ||
	    session_read(cache, &alias, &session) != SBX_OK ||
	    now > session.not_after + HOSTS_KEEP)
		return;
	buf_printf(ret, "Host %s\n", alias.text);
	if (strcmp(session.user, HOSTS_USER_DEFAULT) != 0 &&
	    hosts_is_user(session.user))
		buf_printf(ret, "    User %s\n", session.user);
}

static enum sbx_err
put_hosts(const char *cache, int cache_fd, uint64_t now, struct buf *ret,
    struct sbx_why *why)
{
	struct dirent **entries = NULL;
	int count = scandirat(cache_fd, ".", &entries, only_names, by_bytes);

	if (count < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot list %s: %s", cache, strerror(errno));
	buf_put_text(ret, HOSTS_HEAD);
	for (int i = 0; i < count; i++) {
		put_host(cache, entries[i]->d_name, now, ret);
		free(entries[i]);
	}
	free(entries);
	return buf_error(ret);
}

enum sbx_err
hosts_update(const char *cache, int cache_fd, uint64_t now, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	cleanup_buf struct buf old = BUF_INIT(HOSTS_MAX);
	cleanup_close int lock = -1;
	enum sbx_err err =
	    file_lock(cache_fd, HOSTS_LOCK, /* wait= */ true, &lock, why);

	if (err == SBX_OK)
		err = put_hosts(cache, cache_fd, now, &text, why);
	if (err != SBX_OK)
		return err;
	if (file_read(cache_fd, HOSTS_FILE, &old, NULL) == SBX_OK &&
	    view_eq(buf_view(&old), buf_view(&text)))
		return SBX_OK;
	return file_write_atomic(
	    cache_fd, HOSTS_FILE, 0600, buf_view(&text), why);
}
