/* SPDX-License-Identifier: ISC */
/*
 * Every wait has an end: a point on the monotonic clock, in milliseconds.
 */
#ifndef SBX_DEADLINE_H
#define SBX_DEADLINE_H

#include <stdint.h>
#include <time.h>

struct deadline {
	uint64_t at;
};

static inline uint64_t
deadline_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static inline struct deadline
deadline_in(unsigned milliseconds)
{
	return (struct deadline){ deadline_now() + milliseconds };
}

/* Milliseconds that are left, for poll(2): 0 when it has passed. */
static inline int
deadline_left(struct deadline deadline)
{
	uint64_t now = deadline_now();

	if (deadline.at <= now)
		return 0;
	return deadline.at - now > INT32_MAX ? INT32_MAX
					     : (int)(deadline.at - now);
}

#endif
