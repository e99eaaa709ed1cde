/* SPDX-License-Identifier: ISC */
#include "ctl/ctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/name.h"

#define LAST_WORDS \
	"sandboxctl: interrupted, the broker may go on: see sandboxctl list\n"

struct ctl_globals ctl_globals;

static const char *
config_file(void)
{
	return *ctl_globals.config == '\0' ? NULL : ctl_globals.config;
}

enum sbx_err
ctl_open(struct broker *ret, const char *domain, struct sbx_why *why)
{
	enum sbx_err err = paths_find(&ret->paths, why);

	if (err != SBX_OK)
		return err;
	return client_open_domain(&ret->paths, config_file(),
	    *domain == '\0' ? NAME_SUFFIX_DEFAULT : domain, &ret->client, why);
}

enum sbx_err
ctl_open_name(struct broker *ret, const char *name, const char *domain,
    struct sbx_why *why)
{
	bool plain = strchr(name, '.') == NULL, given = *domain != '\0';
	const char *suffix = given ? domain : NAME_SUFFIX_DEFAULT;
	enum sbx_err err = paths_find(&ret->paths, why);

	if (err != SBX_OK)
		return err;
	if (snprintf(ret->alias.text, sizeof(ret->alias.text), "%s%s%s", name,
		plain ? "." : "",
		plain ? suffix : "") >= (int)sizeof(ret->alias.text))
		return sbx_fail(why, SBX_BAD_NAME,
		    "'%.80s...' is longer than %d bytes", name, NAME_ALIAS_MAX);
	return client_open_alias(&ret->paths, config_file(),
	    NAME_SUFFIX_DEFAULT, given ? domain : NULL, &ret->alias,
	    &ret->client, why);
}

enum sbx_err
ctl_open_sandbox(struct broker *ret, const char *name, struct sbx_why *why)
{
	enum sbx_err err = ctl_open_name(ret, name, /* domain= */ "", why);

	return err != SBX_OK
	    ? err
	    : client_check_provider(&ret->client, &ret->alias, why);
}

void
ctl_close(struct broker *broker)
{
	wait_line_end(&broker->line);
	client_close(&broker->client);
}

void
ctl_wait_begin(struct broker *broker, const char *doing, const char *what)
{
	wait_line_begin(&broker->line, STDERR_FILENO, doing, what,
	    /* log= */ NULL, LAST_WORDS);
	broker->client.progress = wait_line_step;
	broker->client.progress_context = &broker->line;
}

void
ctl_wait_end(struct broker *broker)
{
	wait_line_end(&broker->line);
	broker->client.progress = NULL;
}

enum sbx_err
ctl_check_name(const char *name, struct sbx_why *why)
{
	if (strchr(name, '.') == NULL)
		return name_check_id(name, why);
	if (name_is_suffix(name))
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_NAME,
	    "'%.80s' is neither a sandbox id nor a name like run-1234.sandbox",
	    name);
}

enum opt_result
ctl_one_name(const struct usage *usage, int argc, char **argv, void *values,
    const char **ret_name)
{
	static const struct operands want = { 1, 1, "ID" };
	struct sbx_why why = { "" };
	int first = 0;
	enum opt_result result = opt_parse(usage, argc, argv, values, &first);

	if (result == OPT_RUN)
		result = opt_operands(usage, argc, argv, first, &want);
	if (result != OPT_RUN)
		return result;
	if (ctl_check_name(argv[first], &why) != SBX_OK) {
		log_error("%s", why.text);
		return OPT_WRONG;
	}
	*ret_name = argv[first];
	return OPT_RUN;
}

int
ctl_failure(enum sbx_err err, const struct sbx_why *why)
{
	return log_failure(err == SBX_BAD_VALUE ? SBX_USAGE : err, why);
}

enum sbx_err
ctl_call(struct broker *broker, const char *method, const char *tail,
    struct json_object *body, struct json_object **ret, struct sbx_why *why)
{
	char path[NAME_ID_MAX + 64];

	(void)snprintf(
	    path, sizeof(path), "/v1/sandboxes/%s%s", broker->alias.id, tail);
	return client_call(
	    &broker->client, method, path, body, /* extra= */ 60, ret, why);
}

void
ctl_free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}
