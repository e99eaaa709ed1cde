/* SPDX-License-Identifier: ISC */
/*
 * In a container that was started without any capability, sshd cannot give
 * up what it does not have: chroot, setgroups and chown fail, and it would
 * refuse to go on.
 */
#ifndef SBX_KIT_POWERLESS_H
#define SBX_KIT_POWERLESS_H

#include <stdbool.h>

/*
 * No capability is held, and none can come back by executing a file: the
 * permitted set is empty, and so are the bounding and the inheritable one, or
 * no_new_privs holds.  Asks the kernel, not the image; false when in doubt.
 */
__attribute__((visibility("hidden"))) bool powerless(void);

/*
 * What a call that failed returns: 0 for EPERM in a powerless process, so
 * that it counts as done; otherwise -1, and errno is error.
 */
__attribute__((visibility("hidden"))) int forgive(int error);

#endif
