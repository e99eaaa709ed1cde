/* SPDX-License-Identifier: ISC */
/*
 * What the broker must not forget: sandboxes, their labels, the certificates
 * issued for them, and which ids are burnt.  SQLite, one connection that
 * writes and one that reads; what a call wrote is on disk when it returns.
 *
 * The store knows nothing of providers, callers' rights or the clock: all of
 * that comes in as parameters.
 */
#ifndef SBX_BROKER_STORE_H
#define SBX_BROKER_STORE_H

#include "broker/providers/provider.h"

#define STORE_OWNER_MAX 64

/*
 * Two clocks, in seconds: Unix time, which may jump, and CLOCK_BOOTTIME,
 * which cannot but begins anew with each boot.  What is past its end by one
 * of them only is not.
 */
struct moment {
	uint64_t now;
	uint64_t ticks;
};

#define STORE_CERTIFICATES_MAX 1000  /* valid ones of a sandbox */
#define STORE_CERTIFICATES_KEPT 2000 /* with those that ended */
#define STORE_EVENTS_MAX 100000	     /* kept of a person, unless told */
#define STORE_EVENTS_PAGE 256
#define STORE_PAGE_MAX 200
#define STORE_SHARES_MAX 64 /* of a sandbox */
#define STORE_VERBS_MAX 96

/* value, name in the database and, but for the last, in the API */
#define SANDBOX_STATES(X)       \
	X(CREATING, "creating") \
	X(STARTING, "starting") \
	X(RUNNING, "running")   \
	X(STOPPING, "stopping") \
	X(STOPPED, "stopped")   \
	X(FAILED, "failed")     \
	X(DELETING, "deleting") /* nobody sees it any more */

enum sandbox_state {
#define SANDBOX_STATE_ENUM(value, name) SANDBOX_##value,
	SANDBOX_STATES(SANDBOX_STATE_ENUM)
#undef SANDBOX_STATE_ENUM
	    SANDBOX_STATE_COUNT
};

const char *sandbox_state_name(enum sandbox_state state);
bool
sandbox_state_find(const char *name, enum sandbox_state *ret_state) MUST_USE;

struct sandbox {
	char id[NAME_ID_MAX + 1];
	char provider[NAME_ID_MAX + 1];
	char owner[STORE_OWNER_MAX + 1];
	char person[STORE_OWNER_MAX + 1]; /* whom it is counted for */
	enum sandbox_state state;
	enum isolation isolation;
	uint64_t created_at;
	uint64_t expires_at;   /* 0: no end */
	uint64_t end_ticks;    /* the same in ticks of this boot */
	uint64_t issued_after; /* certificates are valid after this */
	/* Which of all that had this id; 0: made before there were any. */
	uint64_t incarnation;
	uint64_t refused_at; /* what its gate said last that is an event */
	uint64_t auto_stop;  /* after so many seconds without a session; or 0 */
	/* In ticks: when somebody is to look after it; 0: need not. */
	uint64_t look_ticks;
	uint64_t warned; /* so many seconds ahead of its end; 0: not yet */
	bool held;	 /* stopped on purpose: connecting does not start it */
	bool tied; /* to the connection that made it, and ends with that */
	size_t label_count;
	struct label label[STORE_LABELS_MAX];
	/* Not stored: what its provider told just now. */
	struct refusal refusal;
	uint32_t full;
	char reason[PROVIDER_REASON_LEN]; /* why it failed */
	bool ephemeral;
	char root[PATHS_MAX];
	bool network, limited;
	/* The same: what whoever asks may do with it (access.h). */
	unsigned verbs;
};

/* Whom else a sandbox is there for, and for what. */
struct share {
	bool group;
	uint32_t holder;		/* uid or gid */
	char name[STORE_OWNER_MAX + 1]; /* as that was called then */
	char verbs[STORE_VERBS_MAX];	/* words of access.h, with commas */
};

/* value, name in the database, the API and the log */
#define EVENTS(X)                                                  \
	X(CREATED, "created")                                      \
	X(STARTED, "started")                                      \
	X(WOKEN, "woken") /* started because somebody connected */ \
	X(STOPPED, "stopped")                                      \
	X(HELD, "held")                                            \
	X(EXTENDED, "extended") /* it ends at another time */      \
	X(RELEASED, "released") /* held no longer */               \
	X(SHARED, "shared")                                        \
	X(UNSHARED, "unshared")                                    \
	X(FAILED, "failed")                                        \
	X(REMOVED, "removed")                                      \
	X(CERTIFICATE, "certificate") /* was issued */             \
	X(REFUSED, "refused")                                      \
	X(DENIED, "denied") /* its login gate refused, as that one says */

enum event_kind {
#define EVENT_ENUM(value, name) EVENT_##value,
	EVENTS(EVENT_ENUM)
#undef EVENT_ENUM
	    EVENT_COUNT
};

const char *event_name(enum event_kind kind);

#define EVENT_CAUSE_MAX 31
#define EVENT_DETAIL_MAX 255

/* Something that changed or was decided; printable ASCII all of it. */
struct event {
	uint64_t number; /* set by the store, ascending; 0: not written */
	uint64_t time;
	enum event_kind kind;
	char id[NAME_ID_MAX + 1]; /* "": it is about no sandbox */
	uint64_t incarnation;
	char owner[STORE_OWNER_MAX + 1];  /* whose it was then */
	char person[STORE_OWNER_MAX + 1]; /* whom it is counted for */
	char cause[EVENT_CAUSE_MAX + 1];
	char by[STORE_OWNER_MAX + 1]; /* who asked; "": nobody */
	char detail[EVENT_DETAIL_MAX + 1];
};

/* What was issued; the blob itself is not kept. */
struct certificate {
	uint64_t serial;
	char id[NAME_ID_MAX + 1];
	const char *caller;
	const char *key_id;
	uint64_t valid_after, valid_before, issued_at;
	uint64_t spare; /* so many must be left for others */
};

/* Which sandboxes; empty members do not restrict. */
struct store_filter {
	const char *owner;     /* NULL: anyone's */
	uint32_t uid;	       /* and those shared with this one, */
	const char *gids;      /* and these, as "[1,2]"; NULL: none */
	int state;	       /* enum sandbox_state, -1: any but DELETING */
	const char *label_key; /* NULL: any */
	const char *label_value;
	const char *provider; /* NULL: any */
	/* Of these providers anyone's, whoever owner is. */
	const char *shared[PROVIDERS_MAX];
	const char *after; /* ids greater than this; "": from the start */
	size_t limit;	   /* at most STORE_PAGE_MAX */
};

/* A sandbox that is past its end. */
struct store_end {
	char id[NAME_ID_MAX + 1];
	char person[STORE_OWNER_MAX + 1];
};

struct store;

/* path: a file.  SBX_CONFIG for a database that a newer sandboxd wrote. */
enum sbx_err
store_open(const char *path, struct store **ret, struct sbx_why *why) MUST_USE;
void store_close(struct store *store); /* NULL allowed */
/*
 * Say which boot of the machine this is ("": nobody knows) before anything
 * else is asked.  If it is another than before, ticks are counted anew: a
 * sandbox has as long as is left of it by Unix time, but at least doubt
 * seconds, during which a wrong clock may be set right, and at most its whole
 * life.
 */
enum sbx_err store_boot(struct store *store, const char *boot,
    const struct moment *moment, uint64_t doubt, struct sbx_why *why) MUST_USE;

/*
 * Calls that change something take the event that says so, which becomes a row
 * in the same transaction, and has its number then; NULL: there is none.
 */

/*
 * Add a sandbox.  issued_after is set in *sandbox so that no certificate
 * of an earlier sandbox with this id is valid for this one.  SBX_EXISTS for
 * an id in use; SBX_REFUSED when the person has max already.
 */
enum sbx_err store_add(struct store *store, struct sandbox *sandbox,
    uint64_t max_per_person, struct sbx_why *why) MUST_USE;
/* That error in words, for this owner, where this one is in the way. */
enum sbx_err store_taken(const struct sandbox *there, const char *owner,
    struct sbx_why *why) MUST_USE;
enum sbx_err store_get(struct store *store, const char *id, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;
/* By id; *ret (caller frees) has *ret_count rows. */
enum sbx_err store_list(struct store *store, const struct store_filter *filter,
    struct sandbox **ret, size_t *ret_count, struct sbx_why *why) MUST_USE;
/* Not of one whose removal has begun: that is SBX_OK, and stays so. */
enum sbx_err store_set_state(struct store *store, const char *id,
    enum sandbox_state state, enum isolation isolation, struct event *event,
    struct sbx_why *why) MUST_USE;
enum sbx_err store_set_held(struct store *store, const char *id, bool held,
    struct event *event, struct sbx_why *why) MUST_USE;
/* When it ends, auto_stop, look_ticks and warned, as they are in *sandbox. */
enum sbx_err store_set_terms(struct store *store, const struct sandbox *sandbox,
    struct event *event, struct sbx_why *why) MUST_USE;
/* One that was tied lives on without; not if its removal has begun. */
enum sbx_err store_untie(struct store *store, const char *id,
    struct event *event, struct sbx_why *why) MUST_USE;
/*
 * The removal of this one (struct sandbox) begins, if it is tied; id NULL: of
 * all that are.
 */
enum sbx_err store_end_tied(struct store *store, const char *id,
    uint64_t incarnation, struct sbx_why *why) MUST_USE;
/* When it ends, by both clocks; expires_at 0: never. */
enum sbx_err
store_set_end(struct store *store, const char *id, uint64_t expires_at,
    uint64_t end_ticks, struct event *event, struct sbx_why *why) MUST_USE;
enum sbx_err store_set_refused(struct store *store, const char *id,
    uint64_t refused_at, struct event *event, struct sbx_why *why) MUST_USE;
/* The row goes, the id's floor stays.  Not there: SBX_OK. */
enum sbx_err store_remove(struct store *store, const char *id,
    struct event *event, struct sbx_why *why) MUST_USE;

/* Has room for STORE_SHARES_MAX; by name. */
enum sbx_err store_shares(struct store *store, const char *id,
    struct share ret[static STORE_SHARES_MAX], size_t *ret_count,
    struct sbx_why *why) MUST_USE;
/* A new one, or other verbs.  SBX_REFUSED: there are STORE_SHARES_MAX. */
enum sbx_err
store_share(struct store *store, const char *id, const struct share *share,
    struct event *event, struct sbx_why *why) MUST_USE;
/* Not there: SBX_OK. */
enum sbx_err store_unshare(struct store *store, const char *id, bool group,
    uint32_t holder, struct event *event, struct sbx_why *why) MUST_USE;

/*
 * At most limit (caller frees) of those that end by now, by both clocks, and of
 * those whose removal has begun, by id, the ids greater than after.
 */
enum sbx_err store_expired(struct store *store, const struct moment *now,
    const char *after, size_t limit, struct store_end **ret, size_t *ret_count,
    struct sbx_why *why) MUST_USE;

/*
 * SBX_EXISTS when the serial was used before.  SBX_REFUSED when the sandbox
 * has STORE_CERTIFICATES_MAX that are valid, the spare ones counted:
 * *ret_free_at is when the first of them ends, otherwise 0.  Of one that has
 * STORE_CERTIFICATES_KEPT, those that ended first are forgotten.
 */
enum sbx_err store_add_certificate(struct store *store,
    const struct certificate *certificate, struct event *event,
    uint64_t *ret_free_at, struct sbx_why *why) MUST_USE;

/* The same of those that somebody is to look after by now. */
enum sbx_err store_due(struct store *store, const struct moment *now,
    const char *after, size_t limit, struct store_end **ret, size_t *ret_count,
    struct sbx_why *why) MUST_USE;
/*
 * In how many seconds the next one ends, by both clocks, or is to be looked
 * after; UINT64_MAX: none.
 */
enum sbx_err store_next(struct store *store, const struct moment *now,
    uint64_t *ret, struct sbx_why *why) MUST_USE;

#define STORE_KEY_ID_MAX (STORE_OWNER_MAX + NAME_ID_MAX + 32)

/* One that is valid. */
struct store_live {
	uint64_t serial;
	char key_id[STORE_KEY_ID_MAX + 1];
	uint64_t valid_after, valid_before;
};

/*
 * How many a sandbox has that are valid, and of those that end last at most
 * max in ret.
 */
enum sbx_err store_live_certificates(struct store *store, const char *id,
    uint64_t now, struct store_live *ret, size_t max, uint64_t *ret_all,
    struct sbx_why *why) MUST_USE;
/* Who has certificates of it that are valid: the next behind after, or "". */
enum sbx_err store_next_caller(struct store *store, const char *id,
    uint64_t now, const char *after, char ret[static STORE_OWNER_MAX + 1],
    struct sbx_why *why) MUST_USE;
/* Theirs let nobody in any more. */
enum sbx_err store_revoke(struct store *store, const char *id, uint64_t now,
    const char *caller, struct sbx_why *why) MUST_USE;
/* Forget certificates that ended, and floors that lie, before then. */
enum sbx_err
store_prune(struct store *store, uint64_t before, struct sbx_why *why) MUST_USE;

/* How many events of a person stay, or a few more. */
void store_set_events_max(struct store *store, uint64_t max);
/* For one that comes with no other change. */
enum sbx_err store_add_event(
    struct store *store, struct event *event, struct sbx_why *why) MUST_USE;
/*
 * The first events behind number after, at most STORE_EVENTS_PAGE of them
 * (*ret, the caller frees it), of one sandbox if id is not NULL.  All up to
 * *ret_next were looked at, which is no higher than *ret_last, the last one
 * that there is.
 */
enum sbx_err store_events(struct store *store, uint64_t after, const char *id,
    struct event **ret, size_t *ret_count, uint64_t *ret_next,
    uint64_t *ret_last, struct sbx_why *why) MUST_USE;
/*
 * Forget some of the events from before then; *ret_more: there are more.  The
 * last one stays, so that no number comes back.
 */
enum sbx_err store_prune_events(struct store *store, uint64_t before,
    bool *ret_more, struct sbx_why *why) MUST_USE;

#endif
