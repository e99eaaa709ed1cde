/* SPDX-License-Identifier: ISC */
/*
 * What a person sees while something takes its time.  On a terminal: one line
 * with the time that has passed, which is gone when the wait is over, however
 * it ends.  Anywhere else: nothing, or one line if the wait is a long one and
 * somebody may look into a log to see what it is waiting for.
 */
#ifndef SBX_NET_WAIT_LINE_H
#define SBX_NET_WAIT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct wait_line {
	int fd;
	bool terminal;
	const char *log;   /* who says so in a log; NULL: nobody, or it was */
	const char *doing; /* "starting" */
	const char *what;  /* "run-1234" */
	int64_t since;	   /* when it began, CLOCK_MONOTONIC milliseconds */
	unsigned turn;
	int width; /* of what stands there now */
};

/*
 * The texts must outlive it.  A signal that ends the program takes the line
 * away first, and puts last_words (whole lines; NULL: nothing) in its place.
 */
void wait_line_begin(struct wait_line *ret, int fd, const char *doing,
    const char *what, const char *log, const char *last_words);
/* A progress function (net/http.h): context is a struct wait_line. */
void wait_line_step(void *context);
/* Whole seconds since it began. */
uint64_t wait_line_passed(const struct wait_line *line) MUST_USE;
void wait_line_end(struct wait_line *line); /* also of one that never began */
#define cleanup_wait_line __attribute__((cleanup(wait_line_end)))

#endif
