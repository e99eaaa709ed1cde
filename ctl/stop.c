/* SPDX-License-Identifier: ISC */
#include "common/log.h"
#include "ctl/ctl.h"
#include "ctl/sandbox.h"

struct values {
	bool json;
};

static const struct opt options[] = {
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl stop",
	.args = "[options] ID",
	.summary = "End a sandbox's processes; its workspace stays.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

int
ctl_stop(int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct values values = { false };
	struct sbx_why why = { "" };
	const char *name;
	enum opt_result result =
	    ctl_one_name(&usage, argc, argv, &values, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return ctl_status(result);
	err = ctl_open_sandbox(&broker, name, &why);
	if (err == SBX_OK)
		err = ctl_call(&broker, "POST", "/stop", &object, &why);
	return err == SBX_OK ? sandbox_report(object, values.json)
			     : ctl_failure(err, &why);
}
