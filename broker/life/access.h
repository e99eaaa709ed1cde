/* SPDX-License-Identifier: ISC */
/*
 * Who calls, and what they may.  On the UNIX socket the kernel says who the
 * caller is (SO_PEERCRED); root and the user whose broker this is may do
 * everything, others see and touch only the sandboxes that they own.
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
};

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

/* What can be done with a sandbox: value, name in the API. */
#define ACCESS_VERBS(X)     \
	X(SHOW, "show")     \
	X(SSH, "ssh")       \
	X(START, "start")   \
	X(STOP, "stop")     \
	X(EXTEND, "extend") \
	X(KILL, "kill")

enum access_verb {
#define ACCESS_VERB_ENUM(value, name) ACCESS_##value,
	ACCESS_VERBS(ACCESS_VERB_ENUM)
#undef ACCESS_VERB_ENUM
	    ACCESS_VERB_COUNT
};

/*
 * May they do this with it?  Nothing else decides that.  SBX_NOT_FOUND for
 * whom it is not to be seen by, in the words that say so of one that is not
 * there; SBX_REFUSED for others.
 */
enum sbx_err
access_may(const struct caller *caller, const struct sandbox *sandbox,
    enum access_verb verb, struct sbx_why *why) MUST_USE;

#endif
