/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/sandbox.h"
#include "ctl/shares.h"

struct values {
	char with[FIELD_TEXT];
	char verbs[FIELD_TEXT];
	bool json;
};

#define WITH                                                                  \
	{                                                                     \
		0, "WHOM",                                                    \
		{                                                             \
			"with", field_text, offsetof(struct values, with), 0, \
			    0, NULL,                                          \
			    "a user or a group; user:NAME, group:NAME", NULL  \
		}                                                             \
	}

static const struct opt share_options[] = {
	WITH,
	{ 0, "VERBS",
	    { "verbs", field_text, offsetof(struct values, verbs), 0, 0, NULL,
		"what they may do, of ssh,show,start; without it, all of that",
		NULL } },
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct opt unshare_options[] = {
	WITH,
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage share_usage = {
	.program = "sandboxctl share",
	.args = "[options] ID",
	.summary = "Let others of this machine use a sandbox.",
	.options = share_options,
	.option_count = sizeof(share_options) / sizeof(share_options[0]),
};

static const struct usage unshare_usage = {
	.program = "sandboxctl unshare",
	.args = "[options] ID",
	.summary = "Let them no more, and end what they have open there.",
	.options = unshare_options,
	.option_count = sizeof(unshare_options) / sizeof(unshare_options[0]),
};

/* "ssh,show" as an array. */
static bool
put_verbs(struct json_object *body, const char *verbs)
{
	struct json_object *array = json_object_new_array();

	if (array == NULL || json_object_object_add(body, "verbs", array) != 0)
		return false;
	for (;;) {
		size_t len = strcspn(verbs, ",");

		if (json_object_array_add(array,
			json_object_new_string_len(verbs, (int)len)) != 0)
			return false;
		if (verbs[len] == '\0')
			return true;
		verbs += len + 1;
	}
}

static enum sbx_err
ask(struct broker *broker, const char *tail, const struct values *values,
    struct json_object **ret, struct sbx_why *why)
{
	cleanup_object struct json_object *body = json_object_new_object();

	if (body == NULL ||
	    json_object_object_add(
		body, "with", json_object_new_string(values->with)) != 0 ||
	    (*values->verbs != '\0' && !put_verbs(body, values->verbs)))
		return SBX_NOMEM;
	return ctl_call(broker, "POST", tail, body, ret, why);
}

/* With whom it is shared from now on. */
static int
report(const char *id, struct json_object *object, bool json)
{
	char before[NAME_ID_MAX + 3];
	struct json_object *shares = NULL;

	(void)snprintf(before, sizeof(before), "%s: ", id);
	(void)json_object_object_get_ex(object, "shares", &shares);
	if (json)
		sandbox_print_json(object);
	else if (!json_object_is_type(shares, json_type_array) ||
	    json_object_array_length(shares) == 0)
		(void)printf("%snobody else\n", before);
	else
		shares_print(before, object);
	return opt_flush();
}

static int
run(const struct usage *usage, const char *tail, int argc, char **argv)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct values values = { .json = false };
	struct sbx_why why = { "" };
	const char *name;
	enum opt_result result =
	    ctl_one_name(usage, argc, argv, &values, &name);
	enum sbx_err err;

	if (result != OPT_RUN)
		return opt_status(result);
	if (*values.with == '\0') {
		log_error("say with whom: --with USER, or --with GROUP");
		return opt_status(OPT_WRONG);
	}
	err = ctl_open_sandbox(&broker, name, &why);
	if (err == SBX_OK)
		err = ask(&broker, tail, &values, &object, &why);
	return err == SBX_OK ? report(broker.alias.id, object, values.json)
			     : ctl_failure(err, &why);
}

int
ctl_share(int argc, char **argv)
{
	return run(&share_usage, "/share", argc, argv);
}

int
ctl_unshare(int argc, char **argv)
{
	return run(&unshare_usage, "/unshare", argc, argv);
}
