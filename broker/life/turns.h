/* SPDX-License-Identifier: ISC */
/*
 * One at a time for one sandbox, or several that change nothing of it, any
 * number for different ones; and one start of a sandbox however many ask for
 * it.
 */
#ifndef SBX_BROKER_TURNS_H
#define SBX_BROKER_TURNS_H

#include <sys/types.h>

#include "broker/store/store.h"

#define TURN_WAIT 300  /* seconds that a call waits for the ones before it */
#define TURN_STARTS 16 /* of one person under way, creations among them */

struct turns;

enum sbx_err turns_new(struct turns **ret) MUST_USE;
/* NULL allowed; only when nobody can use it any more. */
void turns_free(struct turns *turns);
/* Who waits is sent away with SBX_UNAVAILABLE, as is who comes later. */
void turns_close(struct turns *turns);
/* True when no start is under way any more; waits that long for it. */
bool turns_drain(struct turns *turns, unsigned seconds) MUST_USE;

/* SBX_TIMEOUT after TURN_WAIT. */
enum sbx_err
turn_take(struct turns *turns, const char *id, struct sbx_why *why) MUST_USE;
/*
 * Together with others who share it.  Those who do so later wait for who
 * waits to have it alone.
 */
enum sbx_err
turn_share(struct turns *turns, const char *id, struct sbx_why *why) MUST_USE;
/* The same, if it need not be waited for. */
bool turn_try_share(struct turns *turns, const char *id) MUST_USE;
/* False at once when one has it alone; who shares it soon lets go of it. */
bool turn_try(struct turns *turns, const char *id) MUST_USE;
void turn_give(struct turns *turns, const char *id);

#define TURN_UNLIMITED ((uid_t)-1)

/* Who asked for a start. */
struct starter {
	uid_t person; /* whom it is counted for: persons.h, or TURN_UNLIMITED */
	bool wake;    /* by connecting */
	char name[STORE_OWNER_MAX + 1];
};

/* What a start does, in a thread of its own, for the first who asked. */
typedef enum sbx_err start_job(void *context, const char *id,
    const struct starter *starter, struct sbx_why *why);
/*
 * Begin a start of id, or join the one under way, and wait for its end, at
 * most so many seconds.  *ret_done: it has ended, and the result is its own;
 * otherwise it goes on.  SBX_UNAVAILABLE: the person has TURN_STARTS under way.
 */
enum sbx_err turns_start(struct turns *turns, const char *id,
    const struct starter *starter, unsigned seconds, start_job *job,
    void *context, bool *ret_done, struct sbx_why *why) MUST_USE;

/*
 * A creation, which whoever wants it waits for: so it waits for its place
 * among TURN_STARTS, SBX_TIMEOUT after TURN_WAIT.  turn_made() gives that back.
 */
enum sbx_err
turn_make(struct turns *turns, uid_t person, struct sbx_why *why) MUST_USE;
void turn_made(struct turns *turns, uid_t person);

#endif
