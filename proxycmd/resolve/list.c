/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/list.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "common/file.h"
#include "net/pages.h"
#include "net/reply.h"
#include "proxycmd/hosts.h"

#define ASKED ".asked-" /* and the suffix: when, and by whom now */
#define PASSING_SECONDS 2
#define TURN_POLL_MS 50

struct listed {
	char id[NAME_ID_MAX + 1];
	char state[32];
};

static const struct reply_field fields[] = {
	{ "id", REPLY_TEXT, false, offsetof(struct listed, id), NAME_ID_MAX + 1,
	    0, 0 },
	{ "state", REPLY_TEXT, true, offsetof(struct listed, state), 32, 0, 0 },
};

static enum sbx_err
put_id(void *context, struct json_object *item, struct sbx_why *why)
{
	struct listed listed = { "", "" };
	struct buf *ids = context;
	enum sbx_err err = reply_read(
	    item, fields, sizeof(fields) / sizeof(fields[0]), &listed, why);

	if (err != SBX_OK)
		return err;
	if (!name_is_id(VIEW_STR(listed.id)))
		return sbx_fail(why, SBX_PROTOCOL,
		    "the broker lists a sandbox with a malformed id");
	/* There is no way into one that failed. */
	if (strcmp(listed.state, "failed") != 0)
		buf_printf(ids, "%s\n", listed.id);
	return SBX_OK;
}

/*
 * Every page, in the time that one request may take.  A list that was cut by
 * the clock is not worth having: the one before it says more.
 */
static enum sbx_err
refresh(struct client *client, int cache_fd, const char *suffix,
    struct sbx_why *why)
{
	cleanup_buf struct buf ids = BUF_INIT(HOSTS_MAX);
	struct pages pages = { .query = "",
		.max = HOSTS_LISTED_MAX,
		.seconds = client->settings.timeout,
		.take = put_id,
		.context = &ids };
	bool complete = false;
	enum sbx_err err = pages_read(client, &pages, &complete, why);

	if (err == SBX_OK)
		err = buf_error(&ids);
	return err != SBX_OK
	    ? err
	    : hosts_put_listed(cache_fd, suffix, complete, buf_view(&ids), why);
}

/*
 * Is it our turn?  If so *ret_lock holds off everybody else, and the time is
 * noted: a broker that fails is not asked again at once either.
 */
static bool
take_turn(int cache_fd, const char *suffix, uint64_t now, int *ret_lock)
{
	char name[NAME_ALIAS_MAX + sizeof(ASKED)];
	cleanup_close int lock = -1;
	struct stat st;
	bool is_new;

	(void)snprintf(name, sizeof(name), ASKED "%s", suffix);
	is_new = fstatat(cache_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0;
	if (file_lock(cache_fd, name, /* wait= */ false, &lock, NULL) !=
		SBX_OK ||
	    fstat(lock, &st) < 0)
		return false;
	/* A clock that was set back does not hold us off for ever. */
	if (!is_new && (uint64_t)st.st_mtime <= now &&
	    now - (uint64_t)st.st_mtime < LIST_INTERVAL)
		return false;
	if (futimens(lock, NULL) < 0)
		return false;
	*ret_lock = steal_fd(&lock);
	return true;
}

enum sbx_err
list_refresh(const struct work *work, int cache_fd, const char *suffix,
    struct sbx_why *warning, struct sbx_why *why)
{
	char name[NAME_ALIAS_MAX + 4];
	cleanup_client struct client client = { .token = "" };
	cleanup_close int lock = -1;
	enum sbx_err err;

	if (!take_turn(cache_fd, suffix, work->now, &lock))
		return sbx_fail(warning, SBX_OK,
		    "*.%s: its broker was asked within the last minute, and "
		    "is not asked again",
		    suffix);
	/* Any name in that domain leads to its broker. */
	(void)snprintf(name, sizeof(name), "x.%s", suffix);
	err = client_open_for(work->paths, work->config, name, &client, why);
	return err != SBX_OK ? err : refresh(&client, cache_fd, suffix, why);
}

void
list_in_passing(
    const struct client *client, int cache_fd, const char *suffix, uint64_t now)
{
	cleanup_client struct client own = *client;
	cleanup_close int lock = -1;

	if (!take_turn(cache_fd, suffix, now, &lock))
		return;
	if (own.settings.timeout > PASSING_SECONDS)
		own.settings.timeout = PASSING_SECONDS;
	if (refresh(&own, cache_fd, suffix, NULL) != SBX_OK)
		return;
}

/* Not for long: whoever asks a broker meanwhile will know better anyway. */
static bool
wait_turn(int cache_fd, const char *name, int *ret_lock)
{
	const struct timespec pause = { 0, TURN_POLL_MS * 1000000L };

	for (int left = PASSING_SECONDS * 1000 / TURN_POLL_MS; left > 0;
	     left--) {
		if (file_lock(cache_fd, name, /* wait= */ false, ret_lock,
			NULL) == SBX_OK)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

bool
list_set(int cache_fd, const struct alias *alias, bool there)
{
	const char *suffix = alias->text + strlen(alias->id) + 1;
	char name[NAME_ALIAS_MAX + sizeof(ASKED)];
	cleanup_close int lock = -1;
	struct stat st;

	/* Making the file would say that somebody has just asked. */
	(void)snprintf(name, sizeof(name), ASKED "%s", suffix);
	if (fstatat(cache_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !wait_turn(cache_fd, name, &lock))
		return false;
	return hosts_set_listed(cache_fd, suffix, alias->id, there);
}

const char *
list_suffix(const struct client *client, const char *suffix)
{
	return client->settings.broker.suffix[0] != '\0'
	    ? client->settings.broker.suffix
	    : suffix;
}
