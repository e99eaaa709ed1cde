/* SPDX-License-Identifier: ISC */
/*
 * ssh(1) reads its configuration once, so a block "Host dev" with a HostName
 * of a sandbox is too late where it stands below our lines.  A "Match final"
 * anywhere makes it read all of it again, for every host, with what HostName
 * said as the host's name; then our lines fit.  hosts.conf has one where it
 * does no harm.
 */
#ifndef SBX_SECOND_PASS_H
#define SBX_SECOND_PASS_H

#include <stdbool.h>

#include "common/buf.h"

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

/* Note in the cache whether it is, for those who write hosts.conf. */
enum sbx_err
second_pass_note(int cache_fd, const char *home, struct sbx_why *why) MUST_USE;
/*
 * Was it?  Then SECOND_PASS_LINE asks for it: it holds for no host, but that
 * ssh reads it is enough.  Its first criterion keeps other clients from the
 * second, which they do not know.
 */
#define SECOND_PASS_NOBODY "-" /* no host's name */
#define SECOND_PASS_LINE "Match originalhost " SECOND_PASS_NOBODY " final\n"
bool second_pass_is_noted(int cache_fd) MUST_USE;

#endif
