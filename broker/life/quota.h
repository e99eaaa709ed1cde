/* SPDX-License-Identifier: ISC */
/*
 * How many lines of the log a person may cause in a minute, so that nobody
 * fills the disk of whoever's broker this is.  What one does leaves the
 * others' lines alone, and what was refused leaves room for what was done.
 */
#ifndef SBX_BROKER_QUOTA_H
#define SBX_BROKER_QUOTA_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

enum quota_kind {
	QUOTA_DONE,    /* calls that changed something */
	QUOTA_REFUSED, /* and those that did not, which cost nothing */
	QUOTA_KINDS
};

/* In a minute. */
#define QUOTA_LINES_DONE 1200
#define QUOTA_LINES_REFUSED 60

struct quota_use;

struct quota {
	pthread_mutex_t mutex;
	struct quota_use *use; /* as many as there were in one minute */
	size_t size;
};

#define QUOTA_INIT                                 \
	{                                          \
		PTHREAD_MUTEX_INITIALIZER, NULL, 0 \
	}

/* LAST: this one, with a word that the rest of the minute goes without. */
enum quota_word { QUOTA_YES, QUOTA_LAST, QUOTA_NO };

/*
 * person: see persons.h; now: Unix seconds.  Without memory to count in the
 * word is QUOTA_YES.  Any thread.
 */
enum quota_word quota_take(
    struct quota *quota, uid_t person, enum quota_kind kind, uint64_t now);
void quota_free(struct quota *quota); /* what is in it */

#endif
