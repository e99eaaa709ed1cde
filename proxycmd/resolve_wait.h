/*
 * What a person sees while a sandbox starts: one line on a terminal, which
 * is gone when the wait is over.  Nothing anywhere else: whatever is printed
 * during a connection may end up in someone's data.
 */
#ifndef SBX_RESOLVE_WAIT_H
#define SBX_RESOLVE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct wait_line {
	int fd; /* -1: say nothing */
	const char *id;
	int64_t since; /* when it began, CLOCK_MONOTONIC milliseconds */
	unsigned turn;
	int width; /* of what stands there now */
};

/* fd is kept silent if it is no terminal. */
void wait_line_begin(struct wait_line *ret, int fd, const char *id);
/* A progress function (net/http.h): context is a struct wait_line. */
void wait_line_step(void *context);
void wait_line_end(struct wait_line *line);
#define cleanup_wait_line __attribute__((cleanup(wait_line_end)))

#endif
