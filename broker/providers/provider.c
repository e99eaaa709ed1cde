/* SPDX-License-Identifier: ISC */
#include "broker/providers/provider.h"

#include <string.h>

const struct provider *const providers[] = {
	&provider_local,
	NULL,
};

const struct provider *
provider_find(const char *name)
{
	for (size_t i = 0; providers[i] != NULL; i++) {
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	}
	return NULL;
}
