/* SPDX-License-Identifier: ISC */
#include "broker/providers/provider.h"

#include <string.h>

const struct provider *const providers[] = {
	&provider_local,
	NULL,
};

enum sbx_err
isolation_permit(enum isolation isolation, uint64_t uid, uid_t own_uid,
    int wanted, struct sbx_why *why)
{
	if (isolation != ISOLATION_NONE || uid == 0 || uid == own_uid)
		return SBX_OK;
	if (own_uid != 0)
		return sbx_fail(why, SBX_REFUSED,
		    "this sandbox is not isolated, a shell of the user whose "
		    "broker this is: only they may have it");
	return sbx_fail(why, SBX_REFUSED,
	    "%s forbids namespaces, and without them a sandbox is a root "
	    "shell: only root may create one",
	    wanted == ISOLATION_WANT_NONE ? "this machine's sandboxd.conf"
					  : "this machine");
}

const struct provider *
provider_find(const char *name)
{
	for (size_t i = 0; providers[i] != NULL; i++) {
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	}
	return NULL;
}
