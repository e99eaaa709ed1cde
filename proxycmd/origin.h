/* SPDX-License-Identifier: ISC */
/*
 * What decides whom a session was asked of, and how: the files of the
 * configuration, SANDBOX_BROKER, and whether there is a broker of one's own.
 * With others it is asked for anew.
 */
#ifndef SBX_ORIGIN_H
#define SBX_ORIGIN_H

#include "common/field.h"
#include "common/paths.h"

#define ORIGIN_LEN (FIELD_TEXT + 192)

/*
 * "" if there is nothing.  Otherwise, with commas between them: which each file
 * is and when it was last changed ("DEVICE.INODE.SECONDS.NANOSECONDS" of its
 * ctime, which nobody can set), "own" if this account has had a broker, and
 * SANDBOX_BROKER.  config as for settings_read: NULL for the two usual files.
 */
void origin_find(
    const struct paths *paths, const char *config, char ret[static ORIGIN_LEN]);

#endif
