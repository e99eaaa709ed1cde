/* SPDX-License-Identifier: ISC */
#include "common/log.h"
#include "ctl/resolve.h"
#include "ctl/wish.h"

struct values {
	struct wish wish;
	bool json;
};

static const struct opt options[] = {
	WISH_OPTIONS(offsetof(struct values, wish)),
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl create",
	.args = "[options] [ID]",
	.summary = "Make a sandbox and start it.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

/* Whatever ends us, Ctrl-C say, ends the stream, and so the sandbox. */
static int
stay(const struct broker *broker, const struct made *made)
{
	struct sbx_why why = { "" };

	log_error("%s is there until this ends", made->sandbox.id);
	while (http_wait(made->stream, /* fd= */ -1, /* ms= */ -1))
		continue;
	if (*made->alias.text != '\0')
		resolve_note(&broker->paths, &made->alias, /* there= */ false);
	return ctl_failure(
	    sbx_fail(&why, SBX_UNAVAILABLE,
		"%s is gone: it was removed, or the broker has ended",
		made->sandbox.id),
	    &why);
}

int
ctl_create(int argc, char **argv)
{
	static const struct operands want = { 0, 1, NULL };
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_made struct made made = { .object = NULL };
	struct values values = { .json = false };
	struct sbx_why why = { "" };
	const char *name = NULL;
	int first = 0, status;
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
		err = wish_create(&broker, name, &values.wish, &made, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	sandbox_warn(&made.sandbox);
	status = sandbox_report(made.object, values.json,
	    *made.alias.text == '\0' ? NULL : made.alias.text);
	return status != 0 || made.stream == NULL ? status
						  : stay(&broker, &made);
}
