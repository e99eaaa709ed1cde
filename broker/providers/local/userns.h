/* SPDX-License-Identifier: ISC */
/*
 * User namespaces with a uid range of their own.
 *
 * Root writes the map itself; anyone else needs newuidmap(1) and a range in
 * /etc/subuid.
 *
 * The kernel charges a namespace's maker with what is counted in it, so that
 * of a sandbox is made as the first uid of its slice: what it uses up it
 * takes from nobody else.  An ordinary user becomes that uid in an outer
 * namespace, where the sandbox is held to a part of what the user has.
 */
#ifndef SBX_LOCAL_USERNS_H
#define SBX_LOCAL_USERNS_H

#include "broker/providers/local/child.h"
#include "broker/providers/local/ids.h"
#include "broker/providers/local/limits.h"

/*
 * Does the kernel allow them at all?  SBX_REFUSED, with its words, only if it
 * never will; SBX_UNAVAILABLE if there just are too many.
 */
enum sbx_err userns_allowed(struct sbx_why *why) MUST_USE;

/*
 * In the child: a new namespace with the limits on it, in which we are root
 * once the parent has done its part; the slice is 0, 1, ... inside.  Exit
 * status, 0 to go on.
 */
int userns_enter_sandbox(
    int sync, const struct local_slice *slice, const struct box_limits *limits);
/* In the parent, meanwhile.  SBX_UNAVAILABLE: the kernel said no. */
enum sbx_err userns_map_sandbox(const struct child *child,
    const struct local_slice *slice, struct sbx_why *why) MUST_USE;

/*
 * As root, with root's power over a slice's ids: a namespace obeys the uid
 * that made it, which is the slice's first, and anyone else only with
 * capabilities that sandboxd need not have.  0: as root again.
 */
bool userns_act_as(uid_t uid) MUST_USE;

/*
 * Run job with power over the files of a slice: as root directly, otherwise
 * in a namespace where we are 0 and the slice is 1, 2, ...  first_uid and
 * first_gid are what the sandbox's 0 is called there.
 */
typedef enum sbx_err
userns_job(void *arg, uid_t first_uid, gid_t first_gid, struct sbx_why *why);
enum sbx_err userns_run(const struct local_slice *slice, userns_job *job,
    void *arg, struct sbx_why *why) MUST_USE;

#endif
