/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/name.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/label.h"
#include "ctl/resolve.h"
#include "ctl/sandbox.h"

#define CREATE_SECONDS 120 /* a first start may have much to set up */

struct values {
	uint64_t timeout; /* seconds; 0: not given */
	struct label_list labels;
	char domain[FIELD_TEXT];
	bool json;
};

static const struct opt options[] = {
	{ 0, "DURATION",
	    { "timeout", field_duration, offsetof(struct values, timeout), 1,
		LIMITS_LIFE_MAX, NULL, "remove it after so long", NULL } },
	{ 0, "KEY=VALUE",
	    { "label", field_label, offsetof(struct values, labels), 0,
		LABEL_MAX, NULL, "mark it, may be repeated", NULL } },
	CTL_DOMAIN_OPTION(offsetof(struct values, domain)),
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl create",
	.args = "[options] [ID]",
	.summary = "Make a sandbox and start it.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

static bool
add_text(struct json_object *object, const char *key, const char *text)
{
	return json_object_object_add(
		   object, key, json_object_new_string(text)) == 0;
}

static bool
add_labels(struct json_object *body, const struct label_list *list)
{
	struct json_object *labels = json_object_new_object();

	if (labels == NULL ||
	    json_object_object_add(body, "labels", labels) != 0)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		char key[LABEL_TEXT];
		const char *equals = strchr(list->text[i], '=');

		if (text_copy(
			VIEW(list->text[i], (size_t)(equals - list->text[i])),
			key, sizeof(key)) != SBX_OK ||
		    !add_text(labels, key, equals + 1))
			return false;
	}
	return true;
}

/*
 * The name that ssh knows it by; "" if there is none.  What is cached of an
 * earlier one of that name is not its own.
 */
static void
note(const struct broker *broker, const char *id, const char *domain,
    char ret_name[static NAME_ALIAS_MAX + 1])
{
	struct alias alias = broker->alias;
	int len = 0;

	*ret_name = '\0';
	if (!name_is_id(VIEW_STR(id)))
		return;
	if (*alias.text == '\0')
		len = snprintf(alias.text, sizeof(alias.text), "%s.%s", id,
		    *domain == '\0' ? NAME_SUFFIX_DEFAULT : domain);
	if (len >= (int)sizeof(alias.text))
		return;
	resolve_note(&broker->paths, &alias, /* there= */ true);
	memcpy(ret_name, alias.text, NAME_ALIAS_MAX + 1);
}

static enum sbx_err
create(const char *name, const struct values *values, struct json_object **ret,
    struct sandbox *sandbox, char ret_name[static NAME_ALIAS_MAX + 1],
    struct sbx_why *why)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *body = json_object_new_object();
	const struct alias *alias = &broker.alias;
	char timeout[TEXT_DURATION_LEN];
	enum sbx_err err;

	err = name == NULL ? ctl_open(&broker, values->domain, why)
			   : ctl_open_name(&broker, name, values->domain, why);
	if (err != SBX_OK)
		return err;
	text_put_duration(values->timeout, timeout);
	if (body == NULL ||
	    (name != NULL && !add_text(body, "id", alias->id)) ||
	    (*alias->provider != '\0' &&
		!add_text(body, "provider", alias->provider)) ||
	    (values->timeout != 0 && !add_text(body, "timeout", timeout)) ||
	    (values->labels.count != 0 && !add_labels(body, &values->labels)))
		return SBX_NOMEM;
	ctl_wait_begin(&broker, "creating", name == NULL ? "a sandbox" : name);
	err = client_call(&broker.client, "POST", "/v1/sandboxes", body,
	    CREATE_SECONDS, ret, why);
	ctl_wait_end(&broker);
	if (err == SBX_OK)
		err = sandbox_read(*ret, sandbox, why);
	if (err == SBX_OK)
		note(&broker, sandbox->id, values->domain, ret_name);
	return err;
}

int
ctl_create(int argc, char **argv)
{
	static const struct operands want = { 0, 1, NULL };
	cleanup_object struct json_object *object = NULL;
	struct values values = { .timeout = 0 };
	struct sbx_why why = { "" };
	struct sandbox sandbox;
	char alias[NAME_ALIAS_MAX + 1];
	const char *name = NULL;
	int first = 0;
	enum opt_result result = opt_parse(&usage, argc, argv, &values, &first);
	enum sbx_err err = SBX_OK;

	if (result == OPT_RUN)
		result = opt_operands(&usage, argc, argv, first, &want);
	if (result != OPT_RUN)
		return opt_status(result);
	if (argc - first == 1) {
		name = argv[first];
		err = ctl_check_name(name, &why);
	}
	if (err == SBX_OK)
		err = create(name, &values, &object, &sandbox, alias, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	sandbox_warn(&sandbox);
	return sandbox_report(
	    object, values.json, *alias == '\0' ? NULL : alias);
}
