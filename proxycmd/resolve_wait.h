/*
 * What a person sees while a sandbox starts.  On a terminal: one line with
 * the time that has passed, which is gone when the wait is over.  Anywhere
 * else: nothing, or one line if the wait is a long one, so that whoever
 * looks into a log knows what it is waiting for.
 */
#ifndef SBX_RESOLVE_WAIT_H
#define SBX_RESOLVE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct wait_line {
	int fd;
	bool terminal;
	bool told; /* that one line */
	const char *id;
	int64_t since; /* when it began, CLOCK_MONOTONIC milliseconds */
	unsigned turn;
	int width; /* of what stands there now */
};

void wait_line_begin(struct wait_line *ret, int fd, const char *id);
/* A progress function (net/http.h): context is a struct wait_line. */
void wait_line_step(void *context);
/* Whole seconds since it began. */
uint64_t wait_line_passed(const struct wait_line *line) MUST_USE;
void wait_line_end(struct wait_line *line);
#define cleanup_wait_line __attribute__((cleanup(wait_line_end)))

#endif
