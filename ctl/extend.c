/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <time.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/wish.h"

struct values {
	uint64_t timeout; /* seconds; 0: not given */
	struct pause auto_stop;
	bool json;
};

static const struct opt options[] = {
	{ 0, "DURATION",
	    { "timeout", field_duration, offsetof(struct values, timeout), 1,
		LIMITS_LIFE_MAX, NULL, "remove it so long from now", NULL } },
	{ 0, "DURATION",
	    { "auto-stop", wish_pause, offsetof(struct values, auto_stop), 0,
		LIMITS_LIFE_MAX, NULL, WISH_PAUSE_HELP, NULL } },
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl extend",
	.args = "[options] ID",
	.summary = "Let a sandbox end, or stop, at another time.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

static bool
add_duration(struct json_object *body, const char *name, uint64_t seconds)
{
	char text[TEXT_DURATION_LEN];

	text_put_duration(seconds, text);
	return json_object_object_add(
		   body, name, json_object_new_string(text)) == 0;
}

static enum sbx_err
extend(struct broker *broker, const struct values *values,
    struct json_object **ret, struct sbx_why *why)
{
	cleanup_object struct json_object *body = json_object_new_object();

	if (body == NULL ||
	    (values->timeout != 0 &&
		!add_duration(body, "timeout", values->timeout)) ||
	    (values->auto_stop.given &&
		!add_duration(body, "auto_stop", values->auto_stop.seconds)))
		return SBX_NOMEM;
	return ctl_call(broker, "PATCH", /* tail= */ "", body, ret, why);
}

static void
report(const struct sandbox *sandbox, const struct values *values)
{
	char span[SANDBOX_TIME_LEN], when[TEXT_TIME_LEN];

	if (values->auto_stop.given) {
		text_put_duration(values->auto_stop.seconds, span);
		(void)printf("%s stops %s%s\n", sandbox->id,
		    values->auto_stop.seconds == 0 ? "when somebody stops it"
						   : span,
		    values->auto_stop.seconds == 0 ? ""
						   : " after its last session");
	}
	if (values->timeout == 0)
		return;
	text_put_time(sandbox->expires_at, when);
	sandbox_put_expiry(sandbox->expires_at, (uint64_t)time(NULL), span);
	(void)printf("%s ends at %s (%s)\n", sandbox->id, when, span);
}

int
ctl_extend(int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct values values = { .timeout = 0 };
	struct sbx_why why = { "" };
	struct sandbox sandbox;
	const char *name;
	enum opt_result result =
	    ctl_one_name(&usage, argc, argv, &values, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return opt_status(result);
	if (values.timeout == 0 && !values.auto_stop.given) {
		log_error("say until when: --timeout 1h");
		return opt_status(OPT_WRONG);
	}
	err = ctl_open_sandbox(&broker, name, &why);
	if (err == SBX_OK)
		err = extend(&broker, &values, &object, &why);
	if (err == SBX_OK)
		err = sandbox_read(object, &sandbox, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	if (values.json)
		sandbox_print_json(object);
	else
		report(&sandbox, &values);
	return opt_flush();
}
