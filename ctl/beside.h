/* SPDX-License-Identifier: ISC */
/* Programs that run beside us, on descriptors of our choice. */
#ifndef SBX_CTL_BESIDE_H
#define SBX_CTL_BESIDE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct beside {
	const char *const *argv; /* argv[0] is looked up in PATH */
	int in, out, err;	 /* -1: ours */
	bool deaf; /* INT, QUIT, TERM and HUP are ignored: they come to us */
};

/* It has none of our descriptors but these three. */
enum sbx_err beside_start(
    const struct beside *program, pid_t *ret, struct sbx_why *why) MUST_USE;
/* Its exit status, as a shell tells it: 128 + n after a signal. */
int beside_wait(pid_t pid);

#endif
