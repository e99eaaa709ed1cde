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
	cleanup_broker struct broker broker = { .client = { .token = "" } };
	cleanup_object struct json_object *object = NULL;
	struct sbx_why why = { "" };
	const char *id;
	enum opt_result result = ctl_one_id(&usage, argc, argv, NULL, &id);
	enum sbx_err err;

	if (result != OPT_RUN)
		return ctl_status(result);
	err = ctl_open(&broker, &why);
	if (err == SBX_OK)
		err = ctl_call(&broker.client, "DELETE", id, /* tail= */ "",
		    &object, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	resolve_forget(&broker.paths, id);
	(void)printf("%s killed\n", id);
	return ctl_flush();
}
