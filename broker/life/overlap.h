/* SPDX-License-Identifier: ISC */
/*
 * User ids of sandboxes that somebody else may take on, too: by the lines of
 * subuid(5) and subgid(5).
 */
#ifndef SBX_BROKER_OVERLAP_H
#define SBX_BROKER_OVERLAP_H

#include "broker/settings.h"

/*
 * The first line that has ids of settings' uid_range, in words and with the way
 * out.  False if there is none, or the range is not a setting's.
 */
bool overlap_find(const struct broker_settings *settings, struct sbx_why *ret);
/* The same for the text of one such file, called name. */
bool overlap_in(const struct broker_settings *settings, const char *name,
    struct view text, struct sbx_why *ret);

#endif
