/* SPDX-License-Identifier: ISC */
/*
 * Which groups a user is in, by what passwd(5) and group(5) say now, and not
 * by what some process of theirs was given when they logged in.
 */
#ifndef SBX_GROUPS_H
#define SBX_GROUPS_H

#include <sys/types.h>

#include "common/err.h"

struct groups {
	int count;
	gid_t *gid; /* groups_free */
};

/* None for a uid without an account.  SBX_NOMEM, or too many to be true. */
enum sbx_err groups_of(uid_t uid, struct groups *ret) MUST_USE;
bool groups_have(const struct groups *groups, gid_t gid) MUST_USE;
void groups_free(struct groups *groups);
#define cleanup_groups __attribute__((cleanup(groups_free)))

#endif
