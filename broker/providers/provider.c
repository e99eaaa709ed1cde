/* SPDX-License-Identifier: ISC */
#include "broker/providers/provider.h"

#include <sodium.h>
#include <string.h>

#include "net/token.h"

#define KEY_SECONDS 30 /* that api_key_command may take */

const struct provider *const providers[] = {
	&provider_local,
	&provider_daytona,
	NULL,
};
_Static_assert(sizeof(providers) / sizeof(providers[0]) <= PROVIDERS_MAX + 1,
    "there is a process for each");

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

size_t
provider_index(const char *name)
{
	size_t i = 0;

	while (providers[i] != NULL && strcmp(providers[i]->name, name) != 0)
		i++;
	return providers[i] == NULL ? PROVIDERS_MAX : i;
}

const struct provider *
provider_find(const char *name)
{
	size_t i = provider_index(name);

	return i == PROVIDERS_MAX ? NULL : providers[i];
}

bool
provider_is_platform(const char *name)
{
	const struct provider *provider = provider_find(name);

	return provider != NULL && provider->adopt != NULL;
}

bool
provider_has_key(
    const struct provider *provider, const struct provider_context *context)
{
	const struct key_source *key =
	    provider->key == NULL ? NULL : provider->key(context);

	return key != NULL &&
	    (*key->file != '\0' || *key->command != '\0' ||
		*key->credential != '\0');
}

static enum sbx_err
find_key(const struct key_source *key, const char *credentials_dir, char *ret,
    struct sbx_why *why)
{
	char path[PATHS_MAX];

	if (*key->file != '\0')
		return token_of_file(
		    "api_key_file", key->file, ret, PROVIDER_KEY_LEN, why);
	if (*key->command != '\0')
		return token_of_command("api_key_command", key->command,
		    KEY_SECONDS, ret, PROVIDER_KEY_LEN, why);
	if (*credentials_dir == '\0')
		return sbx_fail(why, SBX_CONFIG,
		    "api_key_credential %s: systemd has given sandboxd no "
		    "credentials: see LoadCredential= in systemd.exec(5)",
		    key->credential);
	if (strchr(key->credential, '/') != NULL ||
	    paths_join(credentials_dir, key->credential, path) != SBX_OK)
		return sbx_fail(why, SBX_CONFIG,
		    "api_key_credential %s is no name of one", key->credential);
	return token_of_file(
	    "api_key_credential", path, ret, PROVIDER_KEY_LEN, why);
}

void
provider_take_key(
    const struct provider *provider, struct provider_context *context)
{
	char key[PROVIDER_KEY_LEN] = "";
	struct sbx_why why = { "" };

	if (find_key(provider->key(context), context->credentials_dir, key,
		&why) == SBX_OK) {
		memcpy(context->key, key, sizeof(key));
		context->no_key.text[0] = '\0';
	} else if (*context->key == '\0') {
		context->no_key = why;
	}
	sodium_memzero(key, sizeof(key));
}
