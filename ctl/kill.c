/* SPDX-License-Identifier: ISC */
#include "common/log.h"
#include "ctl/ctl.h"
#include "ctl/resolve.h"

static const struct usage usage = {
	.program = "sandboxctl kill",
	.args = "ID",
	.summary = "Remove a sandbox with its files; its certificates end at "
		   "once.  Nothing is asked.",
};

int
ctl_kill(int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct sbx_why why = { "" };
	const char *name;
	enum opt_result result = ctl_one_name(&usage, argc, argv, NULL, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return ctl_status(result);
	err = ctl_open_sandbox(&broker, name, &why);
	if (err == SBX_OK)
		err = ctl_call(
		    &broker, "DELETE", /* tail= */ "", NULL, &object, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	resolve_note(&broker.paths, &broker.alias, /* there= */ false);
	(void)printf("%s killed\n", broker.alias.id);
	return ctl_flush();
}
