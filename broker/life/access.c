/* SPDX-License-Identifier: ISC */
#include "broker/life/access.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

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

enum sbx_err
access_judge(const struct broker_settings *settings, uid_t uid,
    const char *name, struct caller *ret, struct sbx_why *why)
{
	ret->uid = uid;
	ret->all = uid == 0 || uid == settings->own_uid;
	if (name != NULL && is_plain_name(name))
		(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	else
		(void)snprintf(ret->name, sizeof(ret->name), "uid:%lu",
		    (unsigned long)uid);
	if (!is_of_a_sandbox(settings, uid))
		return SBX_OK;
	return sbx_fail(why, SBX_REFUSED,
	    "uid %lu belongs to a sandbox, which may not call the broker",
	    (unsigned long)uid);
}

enum sbx_err
access_peer(const struct broker_settings *settings, int fd, struct caller *ret,
    struct sbx_why *why)
{
	struct passwd entry, *found = NULL;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char room[4096];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return sbx_fail(why, SBX_REFUSED,
		    "the kernel does not say who calls: %s", strerror(errno));
	if (getpwuid_r(peer.uid, &entry, room, sizeof(room), &found) != 0)
		found = NULL;
	return access_judge(settings, peer.uid,
	    found == NULL ? NULL : found->pw_name, ret, why);
}

enum sbx_err
access_isolation(const struct broker_settings *settings,
    const struct caller *caller, enum isolation isolation, struct sbx_why *why)
{
	if (isolation != ISOLATION_NONE || caller->uid == 0 ||
	    caller->uid == settings->own_uid)
		return SBX_OK;
	if (settings->own_uid != 0)
		return sbx_fail(why, SBX_REFUSED,
		    "this sandbox is not isolated, a shell of the user whose "
		    "broker this is: only they may have it");
	return sbx_fail(why, SBX_REFUSED,
	    "%s forbids namespaces, and without them a sandbox is a root "
	    "shell: only root may create one",
	    settings->isolation == ISOLATION_WANT_NONE
		? "this machine's sandboxd.conf"
		: "this machine");
}

bool
access_may(const struct caller *caller, const struct sandbox *sandbox)
{
	return caller->all || strcmp(caller->name, sandbox->owner) == 0;
}
