/* SPDX-License-Identifier: ISC */
#include <limits.h>

#include "common/log.h"
#include "ctl/ctl.h"
#include "ctl/listing.h"
#include "ctl/resolve.h"

struct values {
	struct filter filter;
	bool json;
	char domain[FIELD_TEXT];
};

static const struct opt options[] = {
	{ 0, "KEY=VALUE",
	    { "label", field_label, offsetof(struct values, filter.labels), 0,
		1, NULL, "all with this label, instead of IDs", NULL } },
	CTL_DOMAIN_OPTION(offsetof(struct values, domain)),
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl kill",
	.args = "[options] ID...",
	.summary = "Remove sandboxes with their files; their certificates end "
		   "at once.  Nothing is asked.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

/* A line each, so that it is told at once. */
static void
tell_json(const char *name, enum sbx_err err, const struct sbx_why *why)
{
	struct json_object *o = json_object_new_object();

	(void)json_object_object_add(o, "id", json_object_new_string(name));
	(void)json_object_object_add(
	    o, "killed", json_object_new_boolean(err == SBX_OK));
	if (err != SBX_OK) {
		(void)json_object_object_add(
		    o, "code", json_object_new_string(sbx_err_name(err)));
		(void)json_object_object_add(o, "detail",
		    json_object_new_string(sbx_why_text(why, err)));
	}
	sandbox_print_json(o);
	(void)json_object_put(o);
}

/* 0, or the exit status, its cause being told. */
static int
kill_one(const char *name, const char *domain, bool json)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *object = NULL;
	struct sbx_why why = { "" };
	enum sbx_err err = ctl_open_name(&broker, name, domain, &why);

	if (err == SBX_OK)
		err =
		    client_check_provider(&broker.client, &broker.alias, &why);
	if (err == SBX_OK)
		err = ctl_call(
		    &broker, "DELETE", /* tail= */ "", NULL, &object, &why);
	if (err == SBX_OK)
		resolve_note(&broker.paths, &broker.alias, /* there= */ false);
	if (json)
		tell_json(err == SBX_OK ? broker.alias.id : name, err, &why);
	else if (err == SBX_OK)
		(void)printf("%s killed\n", broker.alias.id);
	return err == SBX_OK ? opt_flush() : ctl_failure(err, &why);
}

static int
kill_all(char **names, const struct values *values)
{
	int status = 0;

	for (; *names != NULL; names++) {
		int own = kill_one(*names, values->domain, values->json);

		status = status == 0 ? own : status;
	}
	return status;
}

/* Of those with the label whoever asks may remove; the others are others'. */
static int
kill_labelled(const struct values *values)
{
	cleanup_listing struct listing listing =
	    LISTING_INIT(&values->filter, false);
	struct sbx_why why = { "" };
	int status = 0;
	enum sbx_err err;

	{
		cleanup_broker struct broker broker = BROKER_INIT;

		err = ctl_open(&broker, values->domain, &why);
		if (err == SBX_OK)
			err = listing_read(&listing, &broker, &why);
	}
	for (size_t i = 0; err == SBX_OK && i < listing_count(&listing); i++) {
		const struct sandbox *s = &listing_at(&listing, i)->sandbox;
		int own;

		if (*s->verbs != '\0' && strstr(s->verbs, "kill") == NULL)
			continue;
		own = kill_one(s->id, values->domain, values->json);
		status = status == 0 ? own : status;
	}
	return err == SBX_OK ? status : ctl_failure(err, &why);
}

int
ctl_kill(int argc, char **argv)
{
	struct operands want = { 1, INT_MAX, "ID" };
	struct values values = { .json = false };
	struct sbx_why why = { "" };
	int first = 0;
	enum opt_result result = opt_parse(&usage, argc, argv, &values, &first);
	bool labelled = values.filter.labels.count > 0;

	if (labelled)
		want = (struct operands){ 0, 0, NULL };
	if (result == OPT_RUN)
		result = opt_operands(&usage, argc, argv, first, &want);
	if (result != OPT_RUN)
		return opt_status(result);
	if (labelled)
		return kill_labelled(&values);
	/* A slip in one of them must not leave the others half removed. */
	for (int i = first; i < argc; i++) {
		enum sbx_err err = ctl_check_name(argv[i], &why);

		if (err != SBX_OK)
			return ctl_failure(err, &why);
	}
	return kill_all(argv + first, &values);
}
