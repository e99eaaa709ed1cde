/* SPDX-License-Identifier: ISC */
#include "common/log.h"
#include "ctl/ctl.h"
#include "ctl/sandbox.h"

struct values {
	bool hold;
	bool json;
};

static const struct opt options[] = {
	{ 0, NULL,
	    { "hold", field_bool, offsetof(struct values, hold), 0, 0, NULL,
		"connecting does not start it again, only start does", NULL } },
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl stop",
	.args = "[options] ID",
	.summary = "End a sandbox's processes; its home stays.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

static enum sbx_err
stop(struct broker *broker, bool hold, struct json_object **ret,
    struct sbx_why *why)
{
	cleanup_object struct json_object *body = json_object_new_object();
	struct json_object *held = NULL;
	enum sbx_err err;

	if (body == NULL ||
	    json_object_object_add(
		body, "hold", json_object_new_boolean(hold)) != 0)
		return SBX_NOMEM;
	err = ctl_call(broker, "POST", "/stop", body, ret, why);
	if (err != SBX_OK || !hold ||
	    (json_object_object_get_ex(*ret, "held", &held) &&
		json_object_get_boolean(held)))
		return err;
	return sbx_fail(why, SBX_PROTOCOL,
	    "%s is stopped but not held: its broker is older than this "
	    "sandboxctl, restart it",
	    broker->alias.id);
}

int
ctl_stop(int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct values values = { 0 };
	struct sbx_why why = { "" };
	const char *name;
	enum opt_result result =
	    ctl_one_name(&usage, argc, argv, &values, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return opt_status(result);
	err = ctl_open_sandbox(&broker, name, &why);
	if (err == SBX_OK)
		err = stop(&broker, values.hold, &object, &why);
	return err == SBX_OK ? sandbox_report(object, values.json, NULL)
			     : ctl_failure(err, &why);
}
