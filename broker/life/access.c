/* SPDX-License-Identifier: ISC */
#include "broker/life/access.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/groups.h"
#include "common/text.h"

#define OVERFLOW_UID 65534 /* the kernel's, unless somebody changed it */

/*
 * An account's name becomes part of key ids and log lines; one with other
 * characters than these goes by its number.
 */
bool
access_is_name(const char *name)
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

void
access_put_name(const char *kind, uint32_t id, const char *name,
    char ret[static STORE_OWNER_MAX + 1])
{
	if (name != NULL && access_is_name(name))
		(void)snprintf(ret, STORE_OWNER_MAX + 1, "%s", name);
	else
		(void)snprintf(ret, STORE_OWNER_MAX + 1, "%s:%lu", kind,
		    (unsigned long)id);
}

static unsigned
platforms_of(
    const struct broker_settings *settings, const struct caller *caller)
{
	unsigned bits = 0;

	for (size_t i = 0; providers[i] != NULL; i++) {
		const struct field_list *allow =
		    broker_settings_allow(settings, providers[i]->name);

		if (caller->all)
			bits |= 1U << i;
		for (size_t j = 0; j < allow->count; j++) {
			if (strcmp(allow->word[j], caller->name) == 0)
				bits |= 1U << i;
		}
	}
	return bits;
}

bool
access_platform(const struct caller *caller, const char *provider)
{
	size_t i = provider_index(provider);

	return provider_is_platform(provider) &&
	    (caller->platforms >> i & 1) != 0;
}

enum sbx_err
access_judge(const struct broker_settings *settings, uid_t uid,
    const char *name, struct caller *ret, struct sbx_why *why)
{
	ret->uid = ret->person = uid;
	ret->all = uid == 0 || uid == settings->own_uid;
	access_put_name("uid", uid, name, ret->name);
	memcpy(ret->person_name, ret->name, sizeof(ret->person_name));
	ret->platforms = platforms_of(settings, ret);
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
		access_put_name("uid", ret->person,
		    account_of(ret->person, &entry, room, sizeof(room)),
		    ret->person_name);
	if (err == SBX_OK && !ret->all && is_nameless(peer.uid))
		err = sbx_fail(why, SBX_REFUSED,
		    "uid %lu stands for all users from outside of this "
		    "container: nobody can tell who calls",
		    (unsigned long)peer.uid);
	return err;
}

void
access_own_name(const struct broker_settings *settings,
    char ret[static STORE_OWNER_MAX + 1])
{
	struct passwd entry;
	char room[4096];

	access_put_name("uid", settings->own_uid,
	    account_of(settings->own_uid, &entry, room, sizeof(room)), ret);
}

enum sbx_err
access_isolation(const struct broker_settings *settings,
    const struct caller *caller, enum isolation isolation, struct sbx_why *why)
{
	return isolation_permit(isolation, caller->uid, settings->own_uid,
	    settings->isolation, why);
}

/*
 * What may be done.
 */

static const char *const verb_names[] = {
#define ACCESS_VERB_NAME(value, name, shared) name,
	ACCESS_VERBS(ACCESS_VERB_NAME)
#undef ACCESS_VERB_NAME
};

const unsigned access_shared = 0
#define ACCESS_VERB_SHARED(value, name, shared) \
	| (shared ? ACCESS_BIT(ACCESS_##value) : 0)
    ACCESS_VERBS(ACCESS_VERB_SHARED);
#undef ACCESS_VERB_SHARED

const char *
access_verb_name(enum access_verb verb)
{
	return verb_names[verb];
}

bool
access_find_verb(struct view name, enum access_verb *ret)
{
	for (int i = 0; i < ACCESS_VERB_COUNT; i++) {
		if (view_eq_str(name, verb_names[i])) {
			*ret = (enum access_verb)i;
			return true;
		}
	}
	return false;
}

unsigned
access_verbs(const char *words)
{
	unsigned verbs = 0;

	while (*words != '\0') {
		size_t len = strcspn(words, ",");
		enum access_verb verb;

		if (access_find_verb(VIEW(words, len), &verb))
			verbs |= ACCESS_BIT(verb);
		words += len + (words[len] == ',');
	}
	return verbs;
}

void
access_put_verbs(unsigned verbs, char ret[static STORE_VERBS_MAX])
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < ACCESS_VERB_COUNT; i++) {
		if ((verbs & ACCESS_BIT(i)) != 0)
			used +=
			    (size_t)snprintf(ret + used, STORE_VERBS_MAX - used,
				"%s%s", used == 0 ? "" : ",", verb_names[i]);
	}
}

/* Whose broker it is, and root. */
static enum sbx_err
by_broker(struct store *store, const struct caller *caller,
    const struct sandbox *sandbox, unsigned *ret, struct sbx_why *why)
{
	(void)store, (void)sandbox, (void)why;
	*ret = caller->all ? ACCESS_ALL : 0;
	return SBX_OK;
}

static enum sbx_err
by_owner(struct store *store, const struct caller *caller,
    const struct sandbox *sandbox, unsigned *ret, struct sbx_why *why)
{
	(void)store, (void)why;
	/* Whoever may not use a platform any more has nothing there. */
	*ret = strcmp(caller->name, sandbox->owner) == 0 &&
		!provider_is_platform(sandbox->provider)
	    ? ACCESS_ALL
	    : 0;
	return SBX_OK;
}

/* Its key is one account: all who may use it have all that it has. */
static enum sbx_err
by_platform(struct store *store, const struct caller *caller,
    const struct sandbox *sandbox, unsigned *ret, struct sbx_why *why)
{
	(void)store, (void)why;
	*ret = access_platform(caller, sandbox->provider) ? ACCESS_ALL : 0;
	return SBX_OK;
}

/* Groups are those of this moment, so whoever leaves one has nothing of it. */
static enum sbx_err
by_share(struct store *store, const struct caller *caller,
    const struct sandbox *sandbox, unsigned *ret, struct sbx_why *why)
{
	cleanup_groups struct groups groups = { 0, NULL };
	struct share shares[STORE_SHARES_MAX];
	bool looked = false;
	size_t count;
	enum sbx_err err =
	    store_shares(store, sandbox->id, shares, &count, why);

	*ret = 0;
	for (size_t i = 0; i < count && err == SBX_OK; i++) {
		const struct share *s = &shares[i];

		if (s->group && !looked) {
			err = groups_of(caller->uid, &groups);
			looked = true;
		}
		if (s->group ? groups_have(&groups, s->holder)
			     : s->holder == caller->uid)
			*ret |= access_verbs(s->verbs) & access_shared;
	}
	return err;
}

/* All that can give a right, until there is none left to give. */
static enum sbx_err (*const ways[])(struct store *, const struct caller *,
    const struct sandbox *, unsigned *, struct sbx_why *) = {
	by_broker,
	by_owner,
	by_platform,
	by_share,
};

static enum sbx_err
find_verbs(struct store *store, const struct caller *caller,
    struct sandbox *sandbox, struct sbx_why *why)
{
	sandbox->verbs = 0;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		unsigned verbs = 0;
		enum sbx_err err = ways[i](store, caller, sandbox, &verbs, why);

		if (err != SBX_OK)
			return err;
		sandbox->verbs |= verbs;
		if (sandbox->verbs == ACCESS_ALL)
			break;
	}
	return SBX_OK;
}

enum sbx_err
access_may(struct store *store, const struct caller *caller,
    struct sandbox *sandbox, enum access_verb verb, struct sbx_why *why)
{
	char may[STORE_VERBS_MAX];
	enum sbx_err err = find_verbs(store, caller, sandbox, why);

	if (err != SBX_OK || (sandbox->verbs & ACCESS_BIT(verb)) != 0)
		return err;
	if (sandbox->verbs == 0)
		return sbx_fail(why, SBX_NOT_FOUND, "there is no sandbox '%s'",
		    sandbox->id);
	access_put_verbs(sandbox->verbs, may);
	return sbx_fail(why, SBX_REFUSED,
	    "%s shares '%s' with you for %s, not for %s: ask them",
	    sandbox->owner, sandbox->id, may, verb_names[verb]);
}
