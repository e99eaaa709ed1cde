/* SPDX-License-Identifier: ISC */
/*
 * How many lines of the log a user may cause in a minute, so that nobody
 * fills the disk of whoever's broker this is.
 */
#ifndef SBX_BROKER_QUOTA_H
#define SBX_BROKER_QUOTA_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

#define QUOTA_LINES 60
#define QUOTA_USERS 64 /* in one minute; those after them have none */

struct quota_use {
	uid_t uid;
	uint64_t minute;
	unsigned lines;
};

struct quota {
	pthread_mutex_t mutex;
	struct quota_use use[QUOTA_USERS];
};

#define QUOTA_INIT                         \
	{                                  \
		PTHREAD_MUTEX_INITIALIZER, \
		{                          \
			{                  \
				0, 0, 0    \
			}                  \
		}                          \
	}

/* LAST: this one, with a word that the rest of the minute goes without. */
enum quota_word { QUOTA_YES, QUOTA_LAST, QUOTA_NO };

/* now: Unix seconds.  Any thread. */
enum quota_word quota_take(struct quota *quota, uid_t uid, uint64_t now);

#endif
