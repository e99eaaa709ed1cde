/* SPDX-License-Identifier: ISC */
/*
 * Credentials that allow less than usual, for one ssh: in a cache of their own
 * with an ssh_config(5) of its own, so that no other ssh takes them for its
 * own, nor this one others.
 */
#ifndef SBX_CTL_LIMITED_H
#define SBX_CTL_LIMITED_H

#include "common/field.h"
#include "common/paths.h"

/* What sandbox-resolve judges; "" and false where nothing is asked. */
struct limits_wanted {
	char permit[FIELD_TEXT];
	char source_address[FIELD_TEXT];
	char force_command[FIELD_TEXT];
	bool single_use;
	uint64_t ttl; /* seconds; counts with one of the others alone */
};

struct limited {
	char folder[PATHS_MAX]; /* "": there is none */
	char config[PATHS_MAX]; /* for ssh -F */
};

bool limited_is_wanted(const struct limits_wanted *wanted) MUST_USE;
/*
 * Make them for the name.  SBX_OK with *ret_status not 0: sandbox-resolve ended
 * with that and has said why.  limited_drop in any case.
 */
enum sbx_err limited_make(const struct paths *paths, const char *name,
    const struct limits_wanted *wanted, struct limited *ret, int *ret_status,
    struct sbx_why *why) MUST_USE;
/* They go when this process ends, whatever it has become by then. */
enum sbx_err
limited_end_with_us(struct limited *limited, struct sbx_why *why) MUST_USE;
/* Unless that was said. */
void limited_drop(struct limited *limited);
#define cleanup_limited __attribute__((cleanup(limited_drop)))

#endif
