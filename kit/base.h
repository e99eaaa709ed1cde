/* SPDX-License-Identifier: ISC */
/*
 * Where the kit stands.  It is found from a path inside it, so the tree can
 * be brought anywhere; what belongs to one sandbox is in its folder box/.
 */
#ifndef SBX_KIT_BASE_H
#define SBX_KIT_BASE_H

#include <stdio.h>
#include <string.h>

#define BASE_PATH 512

/*
 * inside is "BASE/FOLDER/FILE"; ret becomes "BASE/rest".  False if inside is
 * no such absolute path, or it does not fit.
 */
static inline int
base_path(const char *inside, const char *rest, char ret[BASE_PATH])
{
	const char *file = inside == NULL ? NULL : strrchr(inside, '/');
	const char *folder = file;
	int n;

	if (inside == NULL || inside[0] != '/' || file == inside)
		return 0;
	do
		folder--;
	while (folder > inside && *folder != '/');
	n = snprintf(
	    ret, BASE_PATH, "%.*s/%s", (int)(folder - inside), inside, rest);
	return n > 0 && n < BASE_PATH;
}

#endif
