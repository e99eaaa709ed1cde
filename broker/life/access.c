/* SPDX-License-Identifier: ISC */
#include "broker/life/access.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define OVERFLOW_UID 65534 /* the kernel's, unless somebody changed it */

/*
 * An account's name becomes part of key ids and log lines; one with other
 * characters than these goes by its number.
 */
static bool
is_plain_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= STORE_OWNER_MAX &&
	    strspn(name, allowed) == len;
}

static bool
is_of_a_sandbox(const struct broker_settings *settings, uid_t uid)
{
	return uid >= settings->uid_range.start &&
	    uid - settings->uid_range.start < settings->uid_range.count;
}

static void
put_name(uid_t uid, const char *account, char ret[static STORE_OWNER_MAX + 1])
{
	if (account != NULL && is_plain_name(account))
		(void)snprintf(ret, STORE_OWNER_MAX + 1, "%s", account);
	else
		(void)snprintf(
		    ret, STORE_OWNER_MAX + 1, "uid:%lu", (unsigned long)uid);
}

enum sbx_err
access_judge(const struct broker_settings *settings, uid_t uid,
    const char *name, struct caller *ret, struct sbx_why *why)
{
	ret->uid = ret->person = uid;
	ret->all = uid == 0 || uid == settings->own_uid;
	put_name(uid, name, ret->name);
	memcpy(ret->person_name, ret->name, sizeof(ret->person_name));
	if (!is_of_a_sandbox(settings, uid))
		return SBX_OK;
	return sbx_fail(why, SBX_REFUSED,
	    "uid %lu belongs to a sandbox, which may not call the broker",
	    (unsigned long)uid);
}

/*
 * In a user namespace that lacks some uids the kernel tells this one for all
 * of those.
 */
static bool
is_nameless(uid_t uid)
{
	cleanup_buf struct buf map = BUF_INIT(64 * 1024);
	struct view cursor, line, word;
	uint64_t count, all = 0;
	char text[24];

	if (uid != OVERFLOW_UID ||
	    file_read(AT_FDCWD, "/proc/self/uid_map", &map, NULL) != SBX_OK)
		return uid == OVERFLOW_UID;
	cursor = buf_view(&map);
	while (text_next_line(&cursor, &line)) {
		/* Ids inside, ids outside, how many. */
		if (text_next_word(&line, &word) &&
		    text_next_word(&line, &word) &&
		    text_next_word(&line, &word) &&
		    text_copy(word, text, sizeof(text)) == SBX_OK &&
		    text_uint(text, 0, UINT32_MAX, &count) == SBX_OK)
			all += count;
	}
	return all < UINT32_MAX;
}

/* NULL: none. */
static const char *
account_of(uid_t uid, struct passwd *entry, char *room, size_t size)
{
	struct passwd *found = NULL;

	if (getpwuid_r(uid, entry, room, size, &found) != 0 || found == NULL)
		return NULL;
	return found->pw_name;
}

enum sbx_err
access_peer(const struct broker_settings *settings, struct persons *persons,
    int fd, struct caller *ret, struct sbx_why *why)
{
	struct passwd entry;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char room[4096];
	enum sbx_err err;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return sbx_fail(why, SBX_REFUSED,
		    "the kernel does not say who calls: %s", strerror(errno));
	err = access_judge(settings, peer.uid,
	    account_of(peer.uid, &entry, room, sizeof(room)), ret, why);
	ret->person = person_of(persons, peer.uid);
	if (ret->person != ret->uid)
		put_name(ret->person,
		    account_of(ret->person, &entry, room, sizeof(room)),
		    ret->person_name);
	if (err == SBX_OK && !ret->all && is_nameless(peer.uid))
		err = sbx_fail(why, SBX_REFUSED,
		    "uid %lu stands for all users from outside of this "
		    "container: nobody can tell who calls",
		    (unsigned long)peer.uid);
	return err;
}

enum sbx_err
access_isolation(const struct broker_settings *settings,
    const struct caller *caller, enum isolation isolation, struct sbx_why *why)
{
	return isolation_permit(isolation, caller->uid, settings->own_uid,
	    settings->isolation, why);
}

enum sbx_err
access_may(const struct caller *caller, const struct sandbox *sandbox,
    enum access_verb verb, struct sbx_why *why)
{
	(void)verb;
	if (caller->all || strcmp(caller->name, sandbox->owner) == 0)
		return SBX_OK;
	return sbx_fail(
	    why, SBX_NOT_FOUND, "there is no sandbox '%s'", sandbox->id);
}
