/* SPDX-License-Identifier: ISC */
#include "net/start.h"

#include "common/limits.h"
#include "common/log.h"
#include "ctl/ctl.h"
#include "ctl/sandbox.h"

struct values {
	uint64_t wait; /* seconds; 0: as configured */
	bool json;
};

static const struct opt options[] = {
	{ 0, "DURATION",
	    { "wait", field_duration, offsetof(struct values, wait), 1,
		LIMITS_WAIT_MAX, NULL,
		"how long to wait, instead of [ssh] wait", NULL } },
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl start",
	.args = "[options] ID",
	.summary = "Start a sandbox and wait until it runs.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

int
ctl_start(int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct values values = { .wait = 0 };
	struct sbx_why why = { "" };
	const char *name;
	enum opt_result result =
	    ctl_one_name(&usage, argc, argv, &values, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return opt_status(result);
	err = ctl_open_sandbox(&broker, name, &why);
	ctl_wait_begin(&broker, "starting", name);
	if (err == SBX_OK)
		err = client_start(&broker.client, broker.alias.id,
		    /* wake= */ false,
		    values.wait != 0 ? values.wait
				     : broker.client.settings.wait,
		    &object, &why);
	ctl_wait_end(&broker);
	return err == SBX_OK ? sandbox_report(object, values.json, NULL)
			     : ctl_failure(err, &why);
}
