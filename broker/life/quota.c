/* SPDX-License-Identifier: ISC */
#include "broker/life/quota.h"

#include <stddef.h>
#include <stdlib.h>

#include "common/cleanup.h"

/* Far more people than call in one minute; 2 MiB. */
#define USERS_MAX 65536
#define USERS_FIRST 64

struct quota_use {
	uid_t person;
	uint64_t minute; /* and 1, so that none is empty */
	unsigned lines[QUOTA_KINDS];
};

static const unsigned most[QUOTA_KINDS] = {
	[QUOTA_DONE] = QUOTA_LINES_DONE,
	[QUOTA_REFUSED] = QUOTA_LINES_REFUSED,
};

/* One more row, which is empty; NULL: there cannot be. */
static struct quota_use *
grow(struct quota *quota)
{
	size_t old = quota->size, size = old == 0 ? USERS_FIRST : 2 * old;
	struct quota_use *use;

	if (size > USERS_MAX)
		return NULL;
	use = realloc(quota->use, size * sizeof(*use));
	if (use == NULL)
		return NULL;
	for (size_t i = old; i < size; i++)
		use[i] = (struct quota_use){ 0 };
	quota->use = use;
	quota->size = size;
	return &use[old];
}

/* The person's row of this minute, else one of a minute that is over. */
static struct quota_use *
row_of(struct quota *quota, uid_t person, uint64_t minute)
{
	struct quota_use *old = NULL;

	for (size_t i = 0; i < quota->size; i++) {
		struct quota_use *use = &quota->use[i];

		if (use->minute != minute)
			old = use;
		else if (use->person == person)
			return use;
	}
	if (old == NULL)
		old = grow(quota);
	if (old != NULL)
		*old = (struct quota_use){ person, minute, { 0 } };
	return old;
}

enum quota_word
quota_take(
    struct quota *quota, uid_t person, enum quota_kind kind, uint64_t now)
{
	enum quota_word word = QUOTA_YES;
	struct quota_use *use;

	(void)pthread_mutex_lock(&quota->mutex);
	use = row_of(quota, person, now / 60 + 1);
	if (use != NULL && use->lines[kind] >= most[kind])
		word = QUOTA_NO;
	else if (use != NULL && ++use->lines[kind] == most[kind])
		word = QUOTA_LAST;
	(void)pthread_mutex_unlock(&quota->mutex);
	return word;
}

void
quota_free(struct quota *quota)
{
	free(quota->use);
	quota->use = NULL;
	quota->size = 0;
}
