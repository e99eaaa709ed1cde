/* SPDX-License-Identifier: ISC */
/*
 * User namespaces with a uid range of their own.
 *
 * Root writes the map itself; anyone else needs newuidmap(1) and a range in
 * /etc/subuid.
 */
#ifndef SBX_LOCAL_USERNS_H
#define SBX_LOCAL_USERNS_H

#include "broker/providers/local/child.h"
#include "broker/providers/local/ids.h"

enum userns_kind {
	USERNS_SANDBOX, /* the slice is 0, 1, ... inside */
	USERNS_ADMIN,	/* we are 0 inside, the slice is 1, 2, ... */
};

/*
 * Does the kernel allow them at all?  SBX_REFUSED, with its words, only if it
 * never will; SBX_UNAVAILABLE if there just are too many.
 */
enum sbx_err userns_allowed(struct sbx_why *why) MUST_USE;

/* In the child: a new namespace, root in it once the parent has mapped it. */
int userns_enter(int sync);
/* In the parent, meanwhile.  SBX_UNAVAILABLE: the kernel said no. */
enum sbx_err userns_map(const struct child *child, enum userns_kind kind,
    const struct local_slice *slice, struct sbx_why *why) MUST_USE;

/*
 * Run job with power over the files of a slice: as root directly, otherwise
 * in a namespace of USERNS_ADMIN.  first_uid and first_gid are what the
 * sandbox's 0 is called there.
 */
typedef enum sbx_err
userns_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why);
enum sbx_err userns_run(const struct local_slice *slice, userns_job *job,
    void *arg, struct sbx_why *why) MUST_USE;

#endif
