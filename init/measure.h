/* SPDX-License-Identifier: ISC */
/*
 * How much of its file system a folder takes, whatever those who fill it do
 * meanwhile: what is in it, and what was deleted from there but is still open.
 */
#ifndef SBX_INIT_MEASURE_H
#define SBX_INIT_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

/* No tree that people make is as deep. */
#define MEASURE_DEPTH_MAX 1024

struct measure {
	uint64_t bytes; /* a file with several names counts once */
	uint64_t files; /* folders, too */
};

/* proc: "/proc".  False: it is too deep or cannot be read. */
bool measure_folder(const char *path, const char *proc, struct measure *ret);

#endif
