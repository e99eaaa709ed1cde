/*
 * What decides whom a session was asked of, and how: the files of the
 * configuration and SANDBOX_BROKER.  With others it is asked for anew.
 */
#ifndef SBX_ORIGIN_H
#define SBX_ORIGIN_H

#include "common/field.h"
#include "common/paths.h"

#define ORIGIN_LEN (FIELD_TEXT + 64)

/*
 * "" if there are none.  Otherwise, with commas between them: when each file
 * was changed (mtime, "SECONDS.NANOSECONDS"), and SANDBOX_BROKER.  config as
 * for settings_read: NULL for the two usual files.
 */
void origin_find(
    const struct paths *paths, const char *config, char ret[static ORIGIN_LEN]);

#endif
