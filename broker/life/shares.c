/* SPDX-License-Identifier: ISC */
#include "broker/life/shares.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "broker/helper/provider_call.h"
#include "broker/life/events.h"
#include "common/cleanup.h"
#include "common/text.h"

#define LOOKUP_MAX 16384

/* Nothing of groups is limited, so a large one is a large answer. */
#define GROUP_MAX (1024 * 1024)

struct shares {
	size_t count;
	struct share of[STORE_SHARES_MAX + 1]; /* one more than can be kept */
};

static void
put_audience(const struct shares *shares, struct provider_audience *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < shares->count; i++) {
		const struct share *s = &shares->of[i];

		if ((access_verbs(s->verbs) & ACCESS_BIT(ACCESS_SSH)) != 0 &&
		    ret->count < PROVIDER_AUDIENCE_MAX)
			ret->member[ret->count++] =
			    (struct provider_member){ s->group, s->holder };
	}
}

enum sbx_err
shares_audience(struct broker *b, const char *id, struct provider_audience *ret,
    struct sbx_why *why)
{
	struct shares shares = { 0 };
	enum sbx_err err =
	    store_shares(b->store, id, shares.of, &shares.count, why);

	if (err == SBX_OK)
		put_audience(&shares, ret);
	return err;
}

/*
 * Who is meant.
 */

struct who {
	bool user, group; /* what it may be */
	bool number;
	const char *name;
	uint64_t id; /* if it is a number */
};

static enum sbx_err
parse_who(const char *with, struct who *ret, struct sbx_why *why)
{
	static const struct {
		const char *prefix;
		bool user, group, number;
	} forms[] = {
		{ "user:", true, false, false },
		{ "group:", false, true, false },
		{ "uid:", true, false, true },
		{ "gid:", false, true, true },
		{ "", true, true, false },
	};
	size_t i = 0;

	while (strncmp(with, forms[i].prefix, strlen(forms[i].prefix)) != 0)
		i++;
	*ret = (struct who){ forms[i].user, forms[i].group, forms[i].number,
		with + strlen(forms[i].prefix), 0 };
	/* The last two of 2^32 mean "none" to the kernel. */
	if (ret->number
		? text_uint(ret->name, 0, UINT32_MAX - 2, &ret->id) == SBX_OK
		: access_is_name(ret->name))
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "'%.80s' is no user or group: give a name, user:NAME, group:NAME, "
	    "uid:N or gid:N",
	    with);
}

static bool
find_user(const struct who *who, struct share *ret)
{
	struct passwd entry, *found = NULL;
	char room[LOOKUP_MAX];
	int failed = who->number
	    ? getpwuid_r((uid_t)who->id, &entry, room, sizeof(room), &found)
	    : getpwnam_r(who->name, &entry, room, sizeof(room), &found);

	if (failed != 0 || (found == NULL && !who->number))
		return false;
	ret->group = false;
	ret->holder = found == NULL ? (uint32_t)who->id : found->pw_uid;
	access_put_name("uid", ret->holder,
	    found == NULL ? NULL : found->pw_name, ret->name);
	return true;
}

static bool
find_group(const struct who *who, struct share *ret)
{
	cleanup_free char *room = malloc(GROUP_MAX);
	struct group entry, *found = NULL;
	int failed;

	if (room == NULL)
		return false;
	failed = who->number
	    ? getgrgid_r((gid_t)who->id, &entry, room, GROUP_MAX, &found)
	    : getgrnam_r(who->name, &entry, room, GROUP_MAX, &found);
	if (failed != 0 || (found == NULL && !who->number))
		return false;
	ret->group = true;
	ret->holder = found == NULL ? (uint32_t)who->id : found->gr_gid;
	access_put_name("gid", ret->holder,
	    found == NULL ? NULL : found->gr_name, ret->name);
	return true;
}

static enum sbx_err
find_who(const char *with, struct share *ret, struct sbx_why *why)
{
	struct who who;
	enum sbx_err err = parse_who(with, &who, why);

	if (err != SBX_OK || (who.user && find_user(&who, ret)) ||
	    (who.group && find_group(&who, ret)))
		return err;
	return sbx_fail(why, SBX_BAD_VALUE, "there is no %s '%s' here",
	    !who.group	    ? "user"
		: !who.user ? "group"
			    : "user or group",
	    who.name);
}

/* Among those who have a share, also under a name that is no more. */
static struct share *
find_share(struct shares *shares, const struct who *who)
{
	for (int group = !who->user; group <= who->group; group++) {
		for (size_t i = 0; i < shares->count; i++) {
			struct share *s = &shares->of[i];

			if (s->group == (group != 0) &&
			    (who->number ? s->holder == who->id
					 : strcmp(s->name, who->name) == 0))
				return s;
		}
	}
	return NULL;
}

/*
 * Changes.
 */

static bool
lets_in(const struct share *share)
{
	return share != NULL &&
	    (access_verbs(share->verbs) & ACCESS_BIT(ACCESS_SSH)) != 0;
}

/* end: whoever is not among them is out. */
static enum sbx_err
admit(struct broker *b, const struct sandbox *s, const struct shares *shares,
    bool end, struct sbx_why *why)
{
	struct provider_audience audience;
	enum sbx_err err;

	put_audience(shares, &audience);
	err = provider_call_admit(
	    b->provider_fd, s->provider, s->id, &audience, end, why);
	/* To stop and start it alone would let them in again. */
	if (err != SBX_OK && end)
		return sbx_fail(why, err,
		    "sandbox %s does not shut others out: stop it, say this "
		    "again, and then start it",
		    s->id);
	return err;
}

/* One of whom there are certificates, as they would call now. */
static bool
may_log_in(struct broker *b, const struct sandbox *s, const char *name)
{
	struct sandbox copy = *s;
	struct caller caller;
	struct share account;
	struct who who;

	/* Its owner may have no account any more, and owns it still. */
	if (strcmp(name, s->owner) == 0)
		return true;
	return parse_who(name, &who, NULL) == SBX_OK && who.user &&
	    find_user(&who, &account) &&
	    access_judge(b->settings, account.holder, account.name, &caller,
		NULL) == SBX_OK &&
	    access_may(b->store, &caller, &copy, ACCESS_SSH, NULL) == SBX_OK;
}

/* What they have is worth nothing without a way in, and no longer counted. */
static enum sbx_err
revoke_lost(struct broker *b, const struct sandbox *s, struct sbx_why *why)
{
	char name[STORE_OWNER_MAX + 1] = "", next[STORE_OWNER_MAX + 1];
	enum sbx_err err;

	for (;;) {
		err = store_next_caller(
		    b->store, s->id, b->now(), name, next, why);
		if (err != SBX_OK || *next == '\0')
			return err;
		memcpy(name, next, sizeof(name));
		if (!may_log_in(b, s, name))
			err =
			    store_revoke(b->store, s->id, b->now(), name, why);
		if (err != SBX_OK)
			return err;
	}
}

static void
begin_event(struct event *ret, const struct broker *b, enum event_kind kind,
    const struct sandbox *s, const struct share *share, const char *by)
{
	char detail[EVENT_DETAIL_MAX];

	(void)snprintf(detail, sizeof(detail), "%s %s for %s",
	    share->group ? "group" : "user", share->name, share->verbs);
	event_begin(
	    ret, b, kind, s, kind == EVENT_SHARED ? "share" : "unshare", by);
	event_set_detail(ret, detail);
}

/* Its provider is told first, so that a share is gone only when they are. */
static enum sbx_err
put_share(struct broker *b, const struct caller *caller,
    const struct sandbox *s, struct shares *shares, const struct share *share,
    struct sbx_why *why)
{
	struct event event;
	struct share *old = NULL;
	bool was_in, is_in = lets_in(share);
	enum sbx_err err = SBX_OK;

	for (size_t i = 0; i < shares->count; i++) {
		if (shares->of[i].group == share->group &&
		    shares->of[i].holder == share->holder)
			old = &shares->of[i];
	}
	was_in = lets_in(old);
	if (old == NULL)
		old = &shares->of[shares->count++];
	*old = *share;
	if (shares->count > STORE_SHARES_MAX)
		return sbx_fail(why, SBX_REFUSED,
		    "sandbox %s is shared with %d users and groups, the limit: "
		    "share it with a group, or unshare it",
		    s->id, STORE_SHARES_MAX);
	if (was_in != is_in)
		err = admit(b, s, shares, /* end= */ was_in, why);
	if (err != SBX_OK)
		return err;
	begin_event(&event, b, EVENT_SHARED, s, share, caller->name);
	err = store_share(b->store, s->id, share, &event, why);
	if (err != SBX_OK)
		return err;
	event_tell(b, &event, caller);
	return was_in && !is_in ? revoke_lost(b, s, why) : SBX_OK;
}

static enum sbx_err
remove_share(struct broker *b, const struct caller *caller,
    const struct sandbox *s, struct shares *shares, struct share *share,
    struct sbx_why *why)
{
	const struct share gone = *share;
	struct event event;
	enum sbx_err err = SBX_OK;

	*share = shares->of[--shares->count];
	if (lets_in(&gone))
		err = admit(b, s, shares, /* end= */ true, why);
	if (err != SBX_OK)
		return err;
	begin_event(&event, b, EVENT_UNSHARED, s, &gone, caller->name);
	err = store_unshare(
	    b->store, s->id, gone.group, gone.holder, &event, why);
	if (err != SBX_OK)
		return err;
	event_tell(b, &event, caller);
	return lets_in(&gone) ? revoke_lost(b, s, why) : SBX_OK;
}

static enum sbx_err
check_share(const struct broker *b, const struct sandbox *s,
    const struct share *share, struct sbx_why *why)
{
	if (b->settings->own_uid != 0)
		return sbx_fail(why, SBX_STATE,
		    "this broker is an ordinary user's own, whom nobody else "
		    "can ask: only sandboxes of the machine's can be shared");
	if (s->isolation != ISOLATION_NAMESPACES)
		return sbx_fail(why, SBX_STATE,
		    "sandbox %s has no isolation, so it is a shell of root's: "
		    "it is not for others",
		    s->id);
	if (!share->group &&
	    (share->holder == 0 || strcmp(share->name, s->owner) == 0))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s may do everything with '%s' already", share->name,
		    s->id);
	return SBX_OK;
}

/* What is done in the turn of a sandbox: with share, or to whom with says. */
struct job {
	const char *with;
	struct share share; /* verbs "": it goes */
};

static enum sbx_err
do_in_turn(struct broker *b, const struct caller *caller, const char *id,
    struct job *job, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_SHARE, ret, why);
	struct shares shares = { 0 };
	struct share *share;
	struct who who;

	if (err == SBX_OK)
		err = store_shares(b->store, id, shares.of, &shares.count, why);
	if (err == SBX_OK && *job->share.verbs != '\0') {
		err = check_share(b, ret, &job->share, why);
		return err != SBX_OK
		    ? err
		    : put_share(b, caller, ret, &shares, &job->share, why);
	}
	if (err == SBX_OK)
		err = parse_who(job->with, &who, why);
	if (err != SBX_OK)
		return err;
	share = find_share(&shares, &who);
	if (share == NULL)
		return sbx_fail(why, SBX_STATE,
		    "sandbox '%s' is not shared with %.80s", id, job->with);
	return remove_share(b, caller, ret, &shares, share, why);
}

static enum sbx_err
run(struct broker *b, const struct caller *caller, const char *id,
    struct job *job, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_SHARE, ret, why);

	/* Nobody starts it meanwhile, for those whom it was shared with. */
	if (err == SBX_OK)
		err = turn_take(b->turns, id, why);
	if (err != SBX_OK)
		return err;
	err = do_in_turn(b, caller, id, job, ret, why);
	turn_give(b->turns, id);
	return err;
}

enum sbx_err
shares_put(struct broker *b, const struct caller *caller, const char *id,
    const char *with, unsigned verbs, struct sandbox *ret, struct sbx_why *why)
{
	struct job job = { .with = with };
	/* Who has no right to it learns nothing of the accounts here. */
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_SHARE, ret, why);

	if (err == SBX_OK)
		err = find_who(with, &job.share, why);
	if (err != SBX_OK)
		return err;
	access_put_verbs(verbs | ACCESS_BIT(ACCESS_SHOW), job.share.verbs);
	return run(b, caller, id, &job, ret, why);
}

enum sbx_err
shares_remove(struct broker *b, const struct caller *caller, const char *id,
    const char *with, struct sandbox *ret, struct sbx_why *why)
{
	struct job job = { .with = with };

	return run(b, caller, id, &job, ret, why);
}
