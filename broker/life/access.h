/* SPDX-License-Identifier: ISC */
/*
 * Who calls, and what they may.  On the UNIX socket the kernel says who the
 * caller is (SO_PEERCRED).  What they may do with a sandbox follows from whose
 * it is and whom it is shared with; root and the user whose broker this is may
 * do everything.
 */
#ifndef SBX_BROKER_ACCESS_H
#define SBX_BROKER_ACCESS_H

#include "broker/life/persons.h"
#include "broker/store/store.h"

struct caller {
	uid_t uid;
	char name[STORE_OWNER_MAX + 1]; /* account, or "uid:1234" */
	bool all;			/* everyone's sandboxes are theirs */
	uid_t person;			/* whom they count as (persons) */
	char person_name[STORE_OWNER_MAX + 1];
	unsigned platforms; /* bit i: providers[i] is theirs to use */
};

/* Does it fit into key ids and lines of the log? */
bool access_is_name(const char *name) MUST_USE;
/* That name, or "KIND:ID" where there is none (NULL) or it does not fit. */
void access_put_name(const char *kind, uint32_t id, const char *name,
    char ret[static STORE_OWNER_MAX + 1]);

/*
 * Judge a uid; name is its account's, NULL or an odd one gives "uid:N".
 * SBX_REFUSED, with *ret for the log, for the user ids that sandboxes run as.
 * person is left as uid.
 */
enum sbx_err access_judge(const struct broker_settings *settings, uid_t uid,
    const char *name, struct caller *ret, struct sbx_why *why) MUST_USE;
/*
 * The peer of a connected UNIX socket.  SBX_REFUSED, too, for whom the kernel
 * has no name: all uids outside of our user namespace look the same.
 */
enum sbx_err
access_peer(const struct broker_settings *settings, struct persons *persons,
    int fd, struct caller *ret, struct sbx_why *why) MUST_USE;
/*
 * May they have a sandbox of this isolation (isolation_permit)?  The provider
 * asks the same of its owner.  SBX_REFUSED.
 */
enum sbx_err access_isolation(const struct broker_settings *settings,
    const struct caller *caller, enum isolation isolation,
    struct sbx_why *why) MUST_USE;

/* May they use this platform ("allow" in its section)? */
bool
access_platform(const struct caller *caller, const char *provider) MUST_USE;
/* Whose broker this is. */
void access_own_name(const struct broker_settings *settings,
    char ret[static STORE_OWNER_MAX + 1]);

/*
 * What can be done with a sandbox: value, name in the API and in the database,
 * whether its owner can let others do it.
 */
#define ACCESS_VERBS(X)            \
	X(SHOW, "show", true)      \
	X(SSH, "ssh", true)        \
	X(START, "start", true)    \
	X(STOP, "stop", false)     \
	X(EXTEND, "extend", false) \
	X(KILL, "kill", false)     \
	X(SHARE, "share", false)

enum access_verb {
#define ACCESS_VERB_ENUM(value, name, shared) ACCESS_##value,
	ACCESS_VERBS(ACCESS_VERB_ENUM)
#undef ACCESS_VERB_ENUM
	    ACCESS_VERB_COUNT
};

#define ACCESS_BIT(verb) (1U << (verb))
#define ACCESS_ALL (ACCESS_BIT(ACCESS_VERB_COUNT) - 1)
/* Those that an owner can let others do. */
extern const unsigned access_shared;

const char *access_verb_name(enum access_verb verb);
/* False: there is none of that name. */
bool access_find_verb(struct view name, enum access_verb *ret) MUST_USE;
/*
 * As it stands in the database: words between commas.  One that is not known
 * is left out, a newer sandboxd may have written it.
 */
unsigned access_verbs(const char *words) MUST_USE;
void access_put_verbs(unsigned verbs, char ret[static STORE_VERBS_MAX]);

/*
 * May they do this with it?  Nothing else decides that.  sandbox->verbs is set
 * to all that they may.  SBX_NOT_FOUND for whom it is not there, in the words
 * that say so of one that does not exist; SBX_REFUSED for others.
 */
enum sbx_err access_may(struct store *store, const struct caller *caller,
    struct sandbox *sandbox, enum access_verb verb,
    struct sbx_why *why) MUST_USE;

#endif
