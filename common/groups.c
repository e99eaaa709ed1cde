/* SPDX-License-Identifier: ISC */
#include "common/groups.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "common/cleanup.h"

#define GROUPS_FIRST 32
#define GROUPS_MAX 65536 /* the kernel's NGROUPS_MAX */

enum sbx_err
groups_of(uid_t uid, struct groups *ret)
{
	struct passwd entry, *found = NULL;
	char room[4096];
	int size = GROUPS_FIRST;

	*ret = (struct groups){ 0, NULL };
	if (getpwuid_r(uid, &entry, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return SBX_OK;
	while (size <= GROUPS_MAX) {
		cleanup_free gid_t *gid = calloc((size_t)size, sizeof(*gid));
		int count = size;

		if (gid == NULL)
			return SBX_NOMEM;
		if (getgrouplist(entry.pw_name, entry.pw_gid, gid, &count) >=
		    0) {
			ret->count = count;
			ret->gid = steal_ptr(&gid);
			return SBX_OK;
		}
		/* It says how many there are; some libraries do not. */
		size = count > size ? count : 2 * size;
	}
	return SBX_TOO_LARGE;
}

bool
groups_have(const struct groups *groups, gid_t gid)
{
	for (int i = 0; i < groups->count; i++) {
		if (groups->gid[i] == gid)
			return true;
	}
	return false;
}

void
groups_free(struct groups *groups)
{
	free(groups->gid);
	*groups = (struct groups){ 0, NULL };
}
