/* SPDX-License-Identifier: ISC */
/*
 * The operations on sandboxes: what a caller may ask for, in which state,
 * one at a time for each sandbox.  Every function may be called from any
 * thread and may block on a provider.
 */
#ifndef SBX_BROKER_SANDBOXES_H
#define SBX_BROKER_SANDBOXES_H

#include "broker/helper/signer.h"
#include "broker/life/access.h"
#include "broker/life/quota.h"
#include "broker/life/turns.h"
#include "broker/life/watch.h"

/* What the http process works with. */
struct broker {
	const struct broker_settings *settings;
	struct store *store;
	struct turns *turns;
	struct persons *persons;
	struct known *known;
	struct signer_line signer;
	const int *provider_fd; /* of each of providers[]; provider_call */
	char ca_line[PROVIDER_LINE];
	struct watch *watch;	 /* those who wait for events; or NULL */
	uint64_t (*now)(void);	 /* Unix time */
	uint64_t (*ticks)(void); /* CLOCK_BOOTTIME, see struct moment */
	/* ticks at which the list of providers[i] was asked for last */
	_Atomic uint64_t synced[PROVIDERS_MAX];
	void (*hurry)(void); /* the reaper has something to do; or NULL */
	/* Each event, from any thread; has this caller room for one more? */
	void (*log)(const struct event *event);
	bool (*may_log)(const struct caller *caller, enum quota_kind kind);
};

#define PROVIDER_DEFAULT "local"

/* What a caller wants; "" and 0 where they leave it to us. */
struct sandbox_wish {
	char id[NAME_ID_MAX + 1];
	char provider[NAME_ID_MAX + 1];
	uint64_t lifetime;    /* seconds */
	uint64_t auto_stop;   /* seconds; 0: never */
	bool ephemeral;	      /* a stop leaves nothing of its files */
	bool tied;	      /* see sandboxes_end_tied */
	char root[PATHS_MAX]; /* folder or tar of its own root */
	struct provider_network network;
	size_t label_count;
	struct label label[STORE_LABELS_MAX];
};

/*
 * The sandbox of this id as the store has it, for a caller who may do that with
 * it (access_may).  SBX_NOT_FOUND too when it is past its end.
 */
enum sbx_err sandboxes_find(struct broker *broker, const struct caller *caller,
    const char *id, enum access_verb verb, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/* What the provider says, seen beside what we knew. */
enum sandbox_state sandboxes_state_of(
    const struct provider_status *status, enum sandbox_state known) MUST_USE;
/*
 * Its state has come to be this one by itself, in the store and as an event.
 * Only for whoever has the turn of it.
 */
void sandboxes_found(
    struct broker *broker, struct sandbox *sandbox, enum sandbox_state state);
/*
 * Ask the provider how it stands and bring *sandbox and the store up to
 * date.  Only for whoever has the turn of it.  SBX_NOT_FOUND when a platform
 * has it no more, and it is no longer in the store.
 */
enum sbx_err sandboxes_reconcile(struct broker *broker, struct sandbox *sandbox,
    struct sbx_why *why) MUST_USE;

/*
 * Returns when it runs.  SBX_REFUSED, and nothing is left behind, where it
 * could only be a shell of root's for somebody else.
 */
enum sbx_err sandboxes_create(struct broker *broker,
    const struct caller *caller, const struct sandbox_wish *wish,
    struct sandbox *ret, struct sbx_why *why) MUST_USE;
/* provider: SBX_NOT_FOUND if it is another's; "": any. */
enum sbx_err sandboxes_show(struct broker *broker, const struct caller *caller,
    const char *id, const char *provider, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/*
 * Whose they may be is set here; *ret is the caller's to free.  Those without
 * verbs have been taken from the caller since.
 */
/* What one that was shown may take and takes; nothing where that fails. */
struct provider_usage
sandboxes_usage(struct broker *broker, const struct sandbox *sandbox) MUST_USE;
/* Who is in it; nothing is known where that fails, or of one that is not up. */
void sandboxes_sessions(struct broker *broker, const struct sandbox *sandbox,
    struct provider_sessions *ret);
/* Stop one that nobody is in.  Only for whoever has the turn of it. */
enum sbx_err sandboxes_stop_unused(struct broker *broker,
    struct sandbox *sandbox, struct sbx_why *why) MUST_USE;
enum sbx_err sandboxes_list(struct broker *broker, const struct caller *caller,
    struct store_filter filter, struct sandbox **ret, size_t *ret_count,
    struct sbx_why *why) MUST_USE;
/*
 * Start it and wait for at most so many seconds: ret->state says whether it
 * runs or is still starting.  wake: somebody connects, which is SBX_STATE if it
 * is held; otherwise somebody wants it to run, and it is held no longer if they
 * may stop it.
 */
enum sbx_err sandboxes_start(struct broker *broker, const struct caller *caller,
    const char *id, bool wake, unsigned seconds, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/* stay: it is held from now on; one that is held stays so without, too. */
enum sbx_err sandboxes_stop(struct broker *broker, const struct caller *caller,
    const char *id, bool stay, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/*
 * Its processes, files and certificates are gone when it returns.  If they
 * resist, nobody sees it any more, and the reaper goes on.
 */
enum sbx_err sandboxes_delete(struct broker *broker,
    const struct caller *caller, const char *id, struct sbx_why *why) MUST_USE;

/*
 * The connection that made this one (struct sandbox), which is tied to it, has
 * ended, and so has the sandbox: the reaper removes it.
 */
void
sandboxes_end_tied(struct broker *broker, const char *id, uint64_t incarnation);
/* Is it still there?  True, too, if the store does not say. */
bool sandboxes_is_there(
    struct broker *broker, const char *id, uint64_t incarnation) MUST_USE;

/*
 * For sandboxd itself: after a start of it, settle what the last one left in
 * the middle, and end those that were tied to a connection, which it is gone
 * with.  Stops at the first error of the store; a sandbox that resists
 * is marked as failed.
 */
enum sbx_err
sandboxes_recover(struct broker *broker, struct sbx_why *why) MUST_USE;

/*
 * One that is past its end, or whose removal has begun.  SBX_NOT_FOUND when it
 * is not, or not any more; SBX_STATE when somebody else is at work on it;
 * SBX_UNAVAILABLE when it resists.
 */
enum sbx_err sandboxes_stop_ended(
    struct broker *broker, const char *id, struct sbx_why *why) MUST_USE;
/* Several at once, at most PROVIDER_BATCH, whose processes begin to end. */
void sandboxes_quit_ended(struct broker *broker, const char *const *ids,
    size_t count, enum sbx_err *ret);
enum sbx_err sandboxes_remove_ended(
    struct broker *broker, const char *id, struct sbx_why *why) MUST_USE;
/* What all providers' calls that were cut short have left; id is not used. */
enum sbx_err sandboxes_sweep(
    struct broker *broker, const char *id, struct sbx_why *why) MUST_USE;

#endif
