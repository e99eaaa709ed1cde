/* SPDX-License-Identifier: ISC */
#include "broker/life/quota.h"

#include <stddef.h>

/* The user's row of this minute, else one of a minute that is over. */
static struct quota_use *
row_of(struct quota *quota, uid_t uid, uint64_t minute)
{
	struct quota_use *old = NULL;

	for (size_t i = 0; i < QUOTA_USERS; i++) {
		struct quota_use *use = &quota->use[i];

		if (use->minute != minute || use->lines == 0)
			old = use;
		else if (use->uid == uid)
			return use;
	}
	if (old != NULL)
		*old = (struct quota_use){ uid, minute, 0 };
	return old;
}

enum quota_word
quota_take(struct quota *quota, uid_t uid, uint64_t now)
{
	enum quota_word word = QUOTA_NO;
	struct quota_use *use;

	(void)pthread_mutex_lock(&quota->mutex);
	use = row_of(quota, uid, now / 60);
	if (use != NULL && use->lines < QUOTA_LINES)
		word = ++use->lines == QUOTA_LINES ? QUOTA_LAST : QUOTA_YES;
	(void)pthread_mutex_unlock(&quota->mutex);
	return word;
}
