/* SPDX-License-Identifier: ISC */
#include <time.h>

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
	.program = "sandboxctl show",
	.args = "[options] ID",
	.summary = "One sandbox in full.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

int
ctl_show(int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct values values = { false };
	struct sbx_why why = { "" };
	struct sandbox sandbox;
	const char *name;
	enum opt_result result =
	    ctl_one_name(&usage, argc, argv, &values, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return opt_status(result);
	err = ctl_open_sandbox(&broker, name, &why);
	if (err == SBX_OK)
		err = ctl_call(
		    &broker, "GET", /* tail= */ "", NULL, &object, &why);
	if (err == SBX_OK)
		err = sandbox_read(object, &sandbox, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	if (values.json)
		sandbox_print_json(object);
	else
		sandbox_print(&sandbox, object, (uint64_t)time(NULL));
	return opt_flush();
}
