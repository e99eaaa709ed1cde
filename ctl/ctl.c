#include "ctl/ctl.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/name.h"

struct ctl_globals ctl_globals;

enum sbx_err
ctl_open(struct broker *ret, struct sbx_why *why)
{
	const char *config = ctl_globals.config;
	enum sbx_err err = paths_find(&ret->paths, why);

	if (err != SBX_OK)
		return err;
	return client_open(
	    &ret->paths, *config == '\0' ? NULL : config, &ret->client, why);
}

void
ctl_close(struct broker *broker)
{
	client_close(&broker->client);
}

enum opt_result
ctl_one_id(const struct usage *usage, int argc, char **argv, void *values,
    const char **ret_id)
{
	struct sbx_why why = { "" };
	int first = 0;
	enum opt_result result = opt_parse(usage, argc, argv, values, &first);

	if (result != OPT_RUN)
		return result;
	if (argc - first != 1) {
		log_error("%s takes one sandbox id: see %s --help", argv[0],
		    usage->program);
		return OPT_WRONG;
	}
	if (name_check_id(argv[first], &why) != SBX_OK) {
		log_error("%s", why.text);
		return OPT_WRONG;
	}
	*ret_id = argv[first];
	return OPT_RUN;
}

int
ctl_status(enum opt_result result)
{
	return result == OPT_DONE ? ctl_flush() : EX_USAGE;
}

enum sbx_err
ctl_call(struct client *client, const char *method, const char *id,
    const char *tail, struct json_object **ret, struct sbx_why *why)
{
	char path[NAME_ID_MAX + 64];

	(void)snprintf(path, sizeof(path), "/v1/sandboxes/%s%s", id, tail);
	return client_call(
	    client, method, path, NULL, /* extra= */ 60, ret, why);
}

void
ctl_free_object(struct json_object **object)
{
	(void)json_object_put(*object);
}

int
ctl_flush(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	log_error("cannot write to standard output: %s", strerror(errno));
	return EX_IOERR;
}
