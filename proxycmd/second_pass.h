/* SPDX-License-Identifier: ISC */
/*
 * ssh(1) reads its configuration once, so a block "Host dev" with a HostName
 * of a sandbox is too late where it stands below our lines.  A "Match final"
 * anywhere makes it read all of it again, for every host, with what HostName
 * said as the host's name; then our lines fit.  The snippet includes a file
 * that has one where it does no harm.
 */
#ifndef SBX_SECOND_PASS_H
#define SBX_SECOND_PASS_H

#include <stdbool.h>

#include "common/buf.h"

#define CACHE_FINAL "final.conf" /* in the cache: asks for that, or not */
#define SECOND_PASS_PLACE 256

/*
 * Would all other hosts be what they are, if the person with that home had
 * ssh read it twice?  Not where a Host or Match fits a HostName but not the
 * name that it is for ("Host * !bastion", whose ProxyJump would then go
 * through itself), and not where a command is run or a user is compared.
 * Otherwise *ret_place is FILE:LINE of what forbids it.
 */
bool second_pass_is_harmless(
    const char *home, char ret_place[static SECOND_PASS_PLACE]) MUST_USE;

/* Write the file of the cache anew, unless it says that already. */
enum sbx_err second_pass_update(
    int cache_fd, const char *home, struct sbx_why *why) MUST_USE;

#endif
