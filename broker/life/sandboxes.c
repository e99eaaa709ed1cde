/* SPDX-License-Identifier: ISC */
#include "broker/life/sandboxes.h"

#include <sodium.h>
#include <string.h>

#include "broker/helper/provider_call.h"
#include "broker/life/platforms.h"
#include "broker/life/shares.h"
#include "broker/life/terms.h"
#include "broker/life/events.h"
#include "common/cleanup.h"
#include "common/groups.h"

#define GIDS_MAX (1024 * 1024)

/* The turn of a sandbox, given back when the scope ends. */
struct held {
	struct turns *turns; /* NULL: not held */
	const char *id;
};

static void
release(struct held *held)
{
	if (held->turns != NULL)
		turn_give(held->turns, held->id);
}

#define cleanup_held __attribute__((cleanup(release)))

static enum sbx_err
hold(struct broker *b, const char *id, struct held *ret, struct sbx_why *why)
{
	enum sbx_err err = turn_take(b->turns, id, why);

	if (err == SBX_OK)
		*ret = (struct held){ b->turns, id };
	return err;
}

/* Nobody but the reaper has anything to do with it any more. */
static bool
is_over(const struct broker *b, const struct sandbox *s)
{
	if (s->state == SANDBOX_DELETING)
		return true;
	return s->expires_at != 0 && s->expires_at <= b->now() &&
	    s->end_ticks <= b->ticks();
}

enum sbx_err
sandboxes_find(struct broker *b, const struct caller *caller, const char *id,
    enum access_verb verb, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err = name_check_id(id, why);

	if (err == SBX_OK)
		err = store_get(b->store, id, ret, why);
	if (err == SBX_NOT_FOUND)
		err = platforms_find(b, caller, id, "", ret, why);
	if (err == SBX_OK && is_over(b, ret))
		return sbx_fail(
		    why, SBX_NOT_FOUND, "there is no sandbox '%s'", id);
	return err != SBX_OK ? err
			     : access_may(b->store, caller, ret, verb, why);
}

/* Why something changes; the words are those of sandboxd(8). */
struct cause {
	const char *word;
	const char *by; /* who asked; NULL: nobody */
};

static const struct cause cause_found = { "found", NULL },
			  cause_expired = { "expired", NULL },
			  cause_unused = { "unused", NULL },
			  cause_session = { "session", NULL },
			  cause_unfinished = { "unfinished", NULL };

static enum sbx_err
put_state(struct broker *b, struct sandbox *s, enum sandbox_state state,
    struct event *event, struct sbx_why *why)
{
	enum sbx_err err;

	/* What has begun is finished, whoever dies meanwhile. */
	if (s->state == SANDBOX_DELETING)
		return event == NULL ? SBX_OK
				     : store_add_event(b->store, event, why);
	err = store_set_state(b->store, s->id, state, s->isolation, event, why);
	if (err == SBX_OK)
		s->state = state;
	return err;
}

/* It is so already, whether or not that can be written. */
static enum sbx_err
set_state(struct broker *b, struct sandbox *s, enum sandbox_state state,
    enum event_kind kind, const struct cause *cause, struct sbx_why *why)
{
	struct event event;
	enum sbx_err err;

	event_begin(&event, b, kind, s, cause->word, cause->by);
	err = put_state(b, s, state, &event, why);
	event_tell(b, &event, /* caller= */ NULL);
	return err;
}

/* Something went wrong with it, as told in detail. */
static void
set_failed(struct broker *b, struct sandbox *s, const struct cause *cause,
    enum sbx_err failed, const struct sbx_why *detail)
{
	struct event event;

	event_begin(&event, b, EVENT_FAILED, s, cause->word, cause->by);
	event_set_detail(&event, sbx_why_text(detail, failed));
	(void)!put_state(b, s, SANDBOX_FAILED, &event, NULL);
	event_tell(b, &event, /* caller= */ NULL);
}

enum sandbox_state
sandboxes_state_of(
    const struct provider_status *status, enum sandbox_state known)
{
	switch (status->state) {
	case PROVIDER_RUNNING:
		return SANDBOX_RUNNING;
	case PROVIDER_STOPPED:
		return known == SANDBOX_FAILED ? known : SANDBOX_STOPPED;
	case PROVIDER_STARTING:
		return SANDBOX_STARTING;
	case PROVIDER_STOPPING:
		return SANDBOX_STOPPING;
	case PROVIDER_GONE:
	case PROVIDER_FAILED:
	case PROVIDER_STATES:
		break;
	}
	return SANDBOX_FAILED;
}

/* What cannot be written now is seen again at the next look. */
void
sandboxes_found(struct broker *b, struct sandbox *s, enum sandbox_state state)
{
	static const enum event_kind kinds[SANDBOX_STATE_COUNT] = {
		[SANDBOX_RUNNING] = EVENT_STARTED,
		[SANDBOX_STOPPED] = EVENT_STOPPED,
		[SANDBOX_FAILED] = EVENT_FAILED,
	};

	/* A change that is under way is told of when it is over. */
	if (state == s->state || state == SANDBOX_STARTING ||
	    state == SANDBOX_STOPPING)
		(void)put_state(b, s, state, /* event= */ NULL, NULL);
	else
		(void)set_state(b, s, state, kinds[state], &cause_found, NULL);
}

/* Where others remove them, too, that is no failure. */
static enum sbx_err
lose(struct broker *b, struct sandbox *s, struct sbx_why *why)
{
	struct event event;
	enum sbx_err err;

	event_begin(&event, b, EVENT_REMOVED, s, cause_found.word, NULL);
	err = store_remove(b->store, s->id, &event, why);
	if (err != SBX_OK)
		return err;
	event_tell(b, &event, /* caller= */ NULL);
	return sbx_fail(why, SBX_NOT_FOUND, "there is no sandbox '%s'", s->id);
}

enum sbx_err
sandboxes_reconcile(struct broker *b, struct sandbox *s, struct sbx_why *why)
{
	struct provider_status status = { 0 };
	enum sbx_err err = provider_call_inspect(
	    b->provider_fd, s->provider, s->id, &status, why);
	enum sandbox_state state;

	if (err != SBX_OK)
		return err;
	s->refusal = status.refusal;
	s->full = status.full;
	s->ephemeral = status.ephemeral;
	memcpy(s->root, status.root, sizeof(s->root));
	s->network = status.network;
	s->limited = status.limited;
	memcpy(s->reason, status.reason, sizeof(s->reason));
	if (status.state == PROVIDER_GONE && provider_is_platform(s->provider))
		return lose(b, s, why);
	events_note_refusal(b, s, &status.refusal);
	state = sandboxes_state_of(&status, s->state);
	if (status.state == PROVIDER_GONE)
		status.isolation = s->isolation;
	if (state == s->state && status.isolation == s->isolation)
		return SBX_OK;
	s->isolation = status.isolation;
	sandboxes_found(b, s, state);
	s->state = state;
	return SBX_OK;
}

/*
 * Create.
 */

static void
random_id(char ret[static NAME_ID_MAX + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char tail[11] = "";

	for (size_t i = 0; i < sizeof(tail) - 1; i++)
		tail[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	(void)snprintf(ret, NAME_ID_MAX + 1, "sbx-%s", tail);
}

/* A row for it, in state creating: the id is taken from here on. */
static enum sbx_err
reserve(struct broker *b, const struct caller *caller,
    const struct sandbox_wish *wish, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err;

	ret->state = SANDBOX_CREATING;
	ret->created_at = b->now();
	randombytes_buf(&ret->incarnation, sizeof(ret->incarnation));
	ret->tied = wish->tied;
	ret->auto_stop = wish->auto_stop;
	memcpy(ret->owner, caller->name, sizeof(ret->owner));
	memcpy(ret->person, caller->person_name, sizeof(ret->person));
	(void)snprintf(
	    ret->provider, sizeof(ret->provider), "%s", wish->provider);
	ret->label_count = wish->label_count;
	memcpy(ret->label, wish->label, sizeof(ret->label));
	err = terms_end(b, ret, wish->lifetime, why);
	return err != SBX_OK
	    ? err
	    : store_add(b->store, ret, b->settings->max_sandboxes, why);
}

static enum sbx_err
bring_up(struct broker *b, const struct caller *caller,
    const struct sandbox_wish *wish, struct sandbox *s, struct sbx_why *why)
{
	static const struct provider_audience nobody = { .count = 0 };
	struct provider_spec spec = { .issued_after = s->issued_after,
		.incarnation = s->incarnation,
		.owner = caller->uid,
		.ephemeral = wish->ephemeral,
		.lifetime = wish->lifetime,
		.label_count = wish->label_count };
	struct provider_status status = { 0 };
	enum sbx_err err;

	memcpy(spec.id, s->id, sizeof(spec.id));
	memcpy(spec.root, wish->root, sizeof(spec.root));
	spec.network = wish->network;
	memcpy(spec.label, wish->label, sizeof(spec.label));
	err = provider_call_create(
	    b->provider_fd, s->provider, &spec, &status, why);
	if (err != SBX_OK)
		return err;
	s->isolation = status.isolation;
	s->ephemeral = status.ephemeral;
	memcpy(s->root, status.root, sizeof(s->root));
	s->network = status.network;
	s->limited = status.limited;
	err = access_isolation(b->settings, caller, s->isolation, why);
	/* Nobody can have shared it yet. */
	if (err == SBX_OK)
		err = provider_call_start(
		    b->provider_fd, s->provider, s->id, &nobody, why);
	return err;
}

/* Its row goes; event may be NULL. */
static enum sbx_err
forget(struct broker *b, const struct sandbox *s, struct event *event,
    struct sbx_why *why)
{
	enum sbx_err err = store_remove(b->store, s->id, event, why);

	if (err == SBX_OK && event != NULL)
		event_tell(b, event, /* caller= */ NULL);
	return err;
}

/*
 * Processes and files before the row, which says that they are to go: if they
 * resist, or we are killed, the reaper goes on.  On a full disk it is not
 * said, and the row stays as it was.
 */
static enum sbx_err
take_down(struct broker *b, struct sandbox *s, struct event *event,
    struct sbx_why *why)
{
	enum sbx_err err;

	(void)put_state(b, s, SANDBOX_DELETING, /* event= */ NULL, NULL);
	err = provider_call_kill(b->provider_fd, s->provider, s->id, why);
	return err != SBX_OK ? err : forget(b, s, event, why);
}

static enum sbx_err
remove_now(struct broker *b, struct sandbox *s, const struct cause *cause,
    struct sbx_why *why)
{
	struct event event;

	event_begin(&event, b, EVENT_REMOVED, s, cause->word, cause->by);
	return take_down(b, s, &event, why);
}

/* What could not be made; nothing is left of it, or it is marked as failed. */
static void
undo(struct broker *b, struct sandbox *s, const struct cause *cause,
    enum sbx_err failed, const struct sbx_why *why)
{
	/* Of a refusal they hear who answers the call. */
	struct event event, *told = failed == SBX_REFUSED ? NULL : &event;
	enum sbx_err err;

	event_begin(&event, b, EVENT_FAILED, s, cause->word, cause->by);
	event_set_detail(&event, sbx_why_text(why, failed));
	/* Files that are there without a row are not ours to throw away. */
	if (failed == SBX_EXISTS)
		err = forget(b, s, told, NULL);
	else
		err = take_down(b, s, told, NULL);
	if (err != SBX_OK)
		set_failed(b, s, cause, failed, why);
}

/*
 * Before its turn is taken: whoever names somebody else's sandbox is in
 * nobody's way.
 */
static enum sbx_err
check_foreign(struct broker *b, const struct caller *caller, const char *id,
    struct sbx_why *why)
{
	struct sandbox s;

	if (store_get(b->store, id, &s, NULL) != SBX_OK ||
	    strcmp(s.owner, caller->name) == 0)
		return SBX_OK;
	return store_taken(&s, caller->name, why);
}

static enum sbx_err
create(struct broker *b, const struct caller *caller,
    const struct sandbox_wish *wish, struct sandbox *ret, struct sbx_why *why)
{
	cleanup_held struct held held = { NULL, NULL };
	const struct cause cause = { "create", caller->name };
	struct event event;
	enum sbx_err err = hold(b, ret->id, &held, why);

	if (err == SBX_OK)
		err = reserve(b, caller, wish, ret, why);
	if (err != SBX_OK)
		return err;
	err = bring_up(b, caller, wish, ret, why);
	if (err == SBX_OK) {
		event_begin(
		    &event, b, EVENT_CREATED, ret, cause.word, cause.by);
		err = put_state(b, ret, SANDBOX_RUNNING, &event, why);
	}
	if (err != SBX_OK) {
		undo(b, ret, &cause, err, why);
		return err;
	}
	ret->verbs = ACCESS_ALL;
	event_tell(b, &event, /* caller= */ NULL);
	if (ret->expires_at != 0 && b->hurry != NULL)
		b->hurry();
	return SBX_OK;
}

enum sbx_err
sandboxes_create(struct broker *b, const struct caller *caller,
    const struct sandbox_wish *wish, struct sandbox *ret, struct sbx_why *why)
{
	uid_t person = caller->all ? TURN_UNLIMITED : caller->person;
	enum sbx_err err;

	if (provider_find(wish->provider) == NULL)
		return sbx_fail(why, SBX_USAGE, "there is no provider '%s'",
		    wish->provider);
	if (provider_is_platform(wish->provider) &&
	    !access_platform(caller, wish->provider))
		return sbx_fail(why, SBX_REFUSED,
		    "provider '%s' is not for you: whom it is for is said by "
		    "allow in [%s] of sandboxd.conf",
		    wish->provider, wish->provider);
	memset(ret, 0, sizeof(*ret));
	if (*wish->id == '\0')
		random_id(ret->id);
	else
		memcpy(ret->id, wish->id, sizeof(ret->id));
	err = name_check_id(ret->id, why);
	if (err == SBX_OK)
		err = check_foreign(b, caller, ret->id, why);
	if (err == SBX_OK)
		err = turn_make(b->turns, person, why);
	if (err != SBX_OK)
		return err;
	err = create(b, caller, wish, ret, why);
	turn_made(b->turns, person);
	return err;
}

/*
 * Look.
 */

/* While somebody is at work on it, what the store says is right. */
static enum sbx_err
refresh(struct broker *b, const struct caller *caller, enum access_verb verb,
    struct sandbox *s, struct sbx_why *why)
{
	char id[NAME_ID_MAX + 1]; /* before held, whose release needs it */
	cleanup_held struct held held = { NULL, NULL };
	enum sbx_err err;

	memcpy(id, s->id, sizeof(id));
	if (!turn_try(b->turns, id))
		return SBX_OK;
	held = (struct held){ b->turns, id };
	err = sandboxes_find(b, caller, id, verb, s, why);
	return err != SBX_OK ? err : sandboxes_reconcile(b, s, why);
}

static enum sbx_err
look(struct broker *b, const struct caller *caller, const char *id,
    enum access_verb verb, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err = sandboxes_find(b, caller, id, verb, ret, why);

	return err != SBX_OK ? err : refresh(b, caller, verb, ret, why);
}

enum sbx_err
sandboxes_show(struct broker *b, const struct caller *caller, const char *id,
    const char *provider, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err;

	/* Where several have it, one that is named need not be unique. */
	if (*provider != '\0' &&
	    store_get(b->store, id, ret, NULL) == SBX_NOT_FOUND) {
		err = platforms_find(b, caller, id, provider, ret, why);
		if (err != SBX_OK)
			return err;
	}
	err = look(b, caller, id, ACCESS_SHOW, ret, why);
	if (err != SBX_OK || *provider == '\0' ||
	    strcmp(provider, ret->provider) == 0)
		return err;
	return sbx_fail(why, SBX_NOT_FOUND,
	    "'%s' is a sandbox of %s here, not of %.80s", id, ret->provider,
	    provider);
}

struct provider_usage
sandboxes_usage(struct broker *b, const struct sandbox *s)
{
	struct provider_usage usage;

	if (provider_call_usage(
		b->provider_fd, s->provider, s->id, &usage, NULL) != SBX_OK)
		return (struct provider_usage){ { { false } } };
	return usage;
}

void
sandboxes_sessions(
    struct broker *b, const struct sandbox *s, struct provider_sessions *ret)
{
	if (s->state != SANDBOX_RUNNING ||
	    provider_call_sessions(
		b->provider_fd, s->provider, s->id, ret, NULL) != SBX_OK)
		ret->known = false;
}

/* Groups as "[1,2]". */
static enum sbx_err
put_groups(uid_t uid, struct buf *ret)
{
	cleanup_groups struct groups groups = { 0, NULL };
	enum sbx_err err = groups_of(uid, &groups);

	for (int i = 0; i < groups.count; i++)
		buf_printf(ret, "%c%lu", i == 0 ? '[' : ',',
		    (unsigned long)groups.gid[i]);
	buf_put_text(ret, groups.count == 0 ? "[]" : "]");
	return err != SBX_OK ? err : buf_error(ret);
}

/* What the store takes for running may have died since. */
static void
look_at(struct broker *b, const struct caller *caller, struct sandbox *s)
{
	enum sbx_err err = access_may(b->store, caller, s, ACCESS_SHOW, NULL);

	if (err == SBX_OK && s->state == SANDBOX_RUNNING &&
	    !provider_is_platform(s->provider) &&
	    refresh(b, caller, ACCESS_SHOW, s, NULL) != SBX_OK)
		s->state = SANDBOX_FAILED;
}

enum sbx_err
sandboxes_list(struct broker *b, const struct caller *caller,
    struct store_filter filter, struct sandbox **ret, size_t *ret_count,
    struct sbx_why *why)
{
	cleanup_buf struct buf gids = BUF_INIT(GIDS_MAX);
	enum sbx_err err = SBX_OK;

	for (size_t i = 0; providers[i] != NULL; i++) {
		if (access_platform(caller, providers[i]->name))
			filter.shared[i] = providers[i]->name;
	}
	if (*filter.after == '\0')
		platforms_sync(
		    b, caller, filter.provider == NULL ? "" : filter.provider);
	if (!caller->all) {
		filter.owner = caller->name;
		filter.uid = caller->uid;
		err = put_groups(caller->uid, &gids);
		filter.gids = buf_text(&gids);
	}
	if (err == SBX_OK)
		err = store_list(b->store, &filter, ret, ret_count, why);
	for (size_t i = 0; err == SBX_OK && i < *ret_count; i++)
		look_at(b, caller, &(*ret)[i]);
	return err;
}

/*
 * Start.
 */

/* For a repair, which goes on if it takes longer. */
#define REPAIR_WAIT 10

static enum sbx_err
start_now(struct broker *b, struct sandbox *s, const struct starter *starter,
    struct sbx_why *why)
{
	const struct cause cause = { starter->wake ? "connect" : "start",
		starter->name };
	struct provider_audience audience;
	enum sbx_err err = sandboxes_reconcile(b, s, why);

	if (err == SBX_OK)
		err = shares_audience(b, s->id, &audience, why);
	if (err != SBX_OK)
		return err;
	/* Its provider looks whether it can be reached. */
	if (s->state == SANDBOX_RUNNING)
		return provider_call_start(
		    b->provider_fd, s->provider, s->id, &audience, why);
	err = put_state(b, s, SANDBOX_STARTING, /* event= */ NULL, why);
	if (err != SBX_OK)
		return err;
	err = provider_call_start(
	    b->provider_fd, s->provider, s->id, &audience, why);
	if (err == SBX_OK)
		return set_state(b, s, SANDBOX_RUNNING,
		    starter->wake ? EVENT_WOKEN : EVENT_STARTED, &cause, why);
	set_failed(b, s, &cause, err, why);
	return err;
}

static enum sbx_err
set_held(struct broker *b, struct sandbox *s, bool held,
    const struct cause *cause, struct sbx_why *why)
{
	struct event event;
	enum sbx_err err;

	if (held == s->held)
		return SBX_OK;
	event_begin(&event, b, held ? EVENT_HELD : EVENT_RELEASED, s,
	    cause->word, cause->by);
	err = store_set_held(b->store, s->id, held, &event, why);
	if (err != SBX_OK)
		return err;
	s->held = held;
	event_tell(b, &event, /* caller= */ NULL);
	return SBX_OK;
}

/* Whoever may stop it decides that. */
static bool
may_hold(const struct sandbox *s)
{
	return (s->verbs & ACCESS_BIT(ACCESS_STOP)) != 0;
}

static enum sbx_err
check_held(const struct sandbox *s, struct sbx_why *why)
{
	if (!s->held)
		return SBX_OK;
	if (s->verbs != 0 && !may_hold(s))
		return sbx_fail(why, SBX_STATE,
		    "%s stopped '%s' on purpose, and it is held: ask them to "
		    "start it",
		    s->owner, s->id);
	return sbx_fail(why, SBX_STATE,
	    "%s was stopped on purpose and is held: start it with sandboxctl "
	    "start %s",
	    s->id, s->id);
}

static enum sbx_err
start_in_turn(void *context, const char *id, const struct starter *starter,
    struct sbx_why *why)
{
	cleanup_held struct held held = { NULL, NULL };
	struct broker *b = context;
	struct sandbox s;
	enum sbx_err err = hold(b, id, &held, why);

	if (err == SBX_OK)
		err = store_get(b->store, id, &s, why);
	if (err == SBX_OK && is_over(b, &s))
		err = sbx_fail(
		    why, SBX_NOT_FOUND, "sandbox '%s' is at its end", id);
	/* Whoever wants it to run has said so before; this came later. */
	if (err == SBX_OK)
		err = check_held(&s, why);
	return err != SBX_OK ? err : start_now(b, &s, starter, why);
}

/* Is it stopped on purpose?  Somebody may ask why nobody gets in. */
static enum sbx_err
let_start(struct broker *b, const struct caller *caller, struct sandbox *s,
    bool wake, struct sbx_why *why)
{
	const struct cause cause = { "start", caller->name };
	enum sbx_err err;

	if (!wake && may_hold(s))
		return set_held(b, s, /* held= */ false, &cause, why);
	err = check_held(s, why);
	if (err != SBX_OK)
		events_refuse(b, caller, s->id, err, why);
	return err;
}

enum sbx_err
sandboxes_start(struct broker *b, const struct caller *caller, const char *id,
    bool wake, unsigned seconds, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err = look(b, caller, id, ACCESS_START, ret, why);
	struct starter starter = { .wake = wake };
	bool done, runs;

	starter.person = caller->all ? TURN_UNLIMITED : caller->person;
	memcpy(starter.name, caller->name, sizeof(starter.name));
	/* One whose creation was refused may have resisted its removal. */
	if (err == SBX_OK)
		err =
		    access_isolation(b->settings, caller, ret->isolation, why);
	if (err == SBX_OK)
		err = let_start(b, caller, ret, wake, why);
	if (err != SBX_OK)
		return err;
	runs = ret->state == SANDBOX_RUNNING;
	if (runs && seconds < REPAIR_WAIT)
		seconds = REPAIR_WAIT;
	err = turns_start(
	    b->turns, ret->id, &starter, seconds, start_in_turn, b, &done, why);
	if (err != SBX_OK || (runs && !done))
		return err;
	if (done)
		return sandboxes_find(b, caller, id, ACCESS_START, ret, why);
	/* Also while it still waits for its turn. */
	ret->state = SANDBOX_STARTING;
	return SBX_OK;
}

/*
 * Stop, delete.
 */

static enum sbx_err
stop_now(struct broker *b, struct sandbox *s, const struct cause *cause,
    struct sbx_why *why)
{
	/* Somebody may ask for it again and again: that is no change. */
	bool again = s->state == SANDBOX_STOPPED;
	enum sbx_err err;

	/* On a full disk nothing can be written, and stopping may cure it. */
	(void)put_state(b, s, SANDBOX_STOPPING, /* event= */ NULL, NULL);
	err = provider_call_stop(b->provider_fd, s->provider, s->id, why);
	if (err == SBX_OK)
		return again
		    ? put_state(b, s, SANDBOX_STOPPED, /* event= */ NULL, why)
		    : set_state(
			  b, s, SANDBOX_STOPPED, EVENT_STOPPED, cause, why);
	/* Whether it runs, the next look at it tells. */
	set_failed(b, s, cause, err, why);
	return err;
}

enum sbx_err
sandboxes_stop_unused(struct broker *b, struct sandbox *s, struct sbx_why *why)
{
	return stop_now(b, s, &cause_unused, why);
}

enum sbx_err
sandboxes_stop(struct broker *b, const struct caller *caller, const char *id,
    bool stay, struct sandbox *ret, struct sbx_why *why)
{
	cleanup_held struct held held = { NULL, NULL };
	const struct cause cause = { "stop", caller->name };
	enum sbx_err err = sandboxes_find(b, caller, id, ACCESS_STOP, ret, why);

	if (err == SBX_OK)
		err = hold(b, id, &held, why);
	if (err == SBX_OK)
		err = sandboxes_find(b, caller, id, ACCESS_STOP, ret, why);
	/* First, so that nobody wakes it in between. */
	if (err == SBX_OK)
		err = set_held(b, ret, stay || ret->held, &cause, why);
	return err != SBX_OK ? err : stop_now(b, ret, &cause, why);
}

enum sbx_err
sandboxes_delete(struct broker *b, const struct caller *caller, const char *id,
    struct sbx_why *why)
{
	cleanup_held struct held held = { NULL, NULL };
	struct sandbox s;
	enum sbx_err err = sandboxes_find(b, caller, id, ACCESS_KILL, &s, why);

	if (err == SBX_OK)
		err = hold(b, id, &held, why);
	if (err == SBX_OK)
		err = sandboxes_find(b, caller, id, ACCESS_KILL, &s, why);
	/* Which one it is there, and that it is still the same. */
	if (err == SBX_OK && provider_is_platform(s.provider))
		err = sandboxes_reconcile(b, &s, why);
	return err != SBX_OK
	    ? err
	    : remove_now(b, &s, &(struct cause){ "delete", caller->name }, why);
}

/*
 * Tied to a connection.
 */

void
sandboxes_end_tied(struct broker *b, const char *id, uint64_t incarnation)
{
	cleanup_held struct held held = { NULL, NULL };
	struct sbx_why why = { "" };
	struct sandbox s;
	enum sbx_err err;

	if (store_end_tied(b->store, id, incarnation, NULL) == SBX_OK) {
		if (b->hurry != NULL)
			b->hurry();
		return;
	}
	/* On a full disk nothing can be written, and removing may cure it. */
	if (hold(b, id, &held, NULL) != SBX_OK ||
	    store_get(b->store, id, &s, NULL) != SBX_OK ||
	    s.incarnation != incarnation || !s.tied)
		return;
	err = remove_now(b, &s, &cause_session, &why);
	if (err != SBX_OK)
		set_failed(b, &s, &cause_session, err, &why);
}

bool
sandboxes_is_there(struct broker *b, const char *id, uint64_t incarnation)
{
	struct sandbox s;
	enum sbx_err err = store_get(b->store, id, &s, NULL);

	if (err == SBX_OK)
		return s.incarnation == incarnation && !is_over(b, &s);
	return err != SBX_NOT_FOUND;
}

/*
 * For sandboxd itself.
 */

static enum sbx_err
settle(struct broker *b, struct sandbox *s, struct sbx_why *why)
{
	/* Nobody was told of it yet; the reaper has the time to remove it. */
	if (s->state == SANDBOX_CREATING)
		return put_state(
		    b, s, SANDBOX_DELETING, /* event= */ NULL, why);
	/* It may be slow, and nobody waits for the others because of that. */
	if (provider_is_platform(s->provider))
		return SBX_OK;
	return sandboxes_reconcile(b, s, why);
}

enum sbx_err
sandboxes_recover(struct broker *b, struct sbx_why *why)
{
	static const enum sandbox_state states[] = { SANDBOX_CREATING,
		SANDBOX_STARTING, SANDBOX_STOPPING, SANDBOX_RUNNING };
	char after[NAME_ID_MAX + 1];
	enum sbx_err tied = store_end_tied(b->store, NULL, 0, why);

	if (tied != SBX_OK)
		return tied;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t count = STORE_PAGE_MAX;

		after[0] = '\0';
		while (count == STORE_PAGE_MAX) {
			cleanup_free struct sandbox *rows = NULL;
			struct store_filter filter = { .after = after,
				.state = (int)states[i],
				.limit = STORE_PAGE_MAX };
			enum sbx_err err =
			    store_list(b->store, &filter, &rows, &count, why);

			if (err != SBX_OK)
				return err;
			for (size_t j = 0; j < count; j++) {
				memcpy(after, rows[j].id, sizeof(after));
				err = settle(b, &rows[j], why);
				if (err != SBX_OK)
					set_failed(b, &rows[j],
					    &cause_unfinished, err, why);
			}
		}
	}
	return SBX_OK;
}

static const struct cause *
cause_of(const struct sandbox *s)
{
	if (s->state != SANDBOX_DELETING)
		return &cause_expired;
	return s->tied ? &cause_session : &cause_unfinished;
}

/* The turn of one that is past its end; SBX_STATE when another has it. */
static enum sbx_err
hold_ended(struct broker *b, const char *id, struct held *held,
    struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err;

	if (!turn_try(b->turns, id))
		return sbx_fail(
		    why, SBX_STATE, "another operation on '%s' goes on", id);
	*held = (struct held){ b->turns, id };
	err = store_get(b->store, id, ret, why);
	/* Deleted since, and perhaps made again. */
	if (err == SBX_OK && !is_over(b, ret))
		err = sbx_fail(
		    why, SBX_NOT_FOUND, "sandbox '%s' is another now", id);
	return err;
}

void
sandboxes_quit_ended(
    struct broker *b, const char *const *ids, size_t count, enum sbx_err *ret)
{
	struct held held[PROVIDER_BATCH] = { { NULL, NULL } };
	const struct provider *of[PROVIDER_BATCH] = { NULL };
	struct sandbox s;

	for (size_t i = 0; i < count; i++) {
		ret[i] = hold_ended(b, ids[i], &held[i], &s, NULL);
		if (ret[i] == SBX_OK)
			of[i] = provider_find(s.provider);
	}
	for (size_t p = 0; providers[p] != NULL; p++) {
		const char *its[PROVIDER_BATCH];
		size_t n = 0;

		for (size_t i = 0; i < count; i++) {
			if (of[i] == providers[p])
				its[n++] = ids[i];
		}
		provider_call_quit(b->provider_fd, providers[p]->name, its, n);
	}
	for (size_t i = 0; i < count; i++)
		release(&held[i]);
}

enum sbx_err
sandboxes_stop_ended(struct broker *b, const char *id, struct sbx_why *why)
{
	cleanup_held struct held held = { NULL, NULL };
	struct sandbox s;
	enum sbx_err err = hold_ended(b, id, &held, &s, why);

	if (err != SBX_OK)
		return err;
	err = stop_now(b, &s, cause_of(&s), why);
	return err == SBX_OK ? SBX_OK : SBX_UNAVAILABLE;
}

enum sbx_err
sandboxes_remove_ended(struct broker *b, const char *id, struct sbx_why *why)
{
	cleanup_held struct held held = { NULL, NULL };
	struct sandbox s;
	enum sbx_err err = hold_ended(b, id, &held, &s, why);

	if (err != SBX_OK)
		return err;
	err = remove_now(b, &s, cause_of(&s), why);
	return err == SBX_OK ? SBX_OK : SBX_UNAVAILABLE;
}

enum sbx_err
sandboxes_sweep(struct broker *b, const char *id, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	(void)id;
	for (size_t i = 0; providers[i] != NULL; i++) {
		enum sbx_err one = SBX_OK;

		if (b->provider_fd[i] >= 0 && providers[i]->sweep != NULL)
			one = provider_call_sweep(
			    b->provider_fd, providers[i]->name, why);
		if (one != SBX_OK)
			err = one;
	}
	return err;
}
