#include "certs/verb.h"

#include "common/log.h"

static enum sbx_err
check_operands(
    const struct verb *verb, int count, char **operands, struct sbx_why *why)
{
	const char *program = verb->usage->program;

	if (verb->operands == VERB_ONE_FILE && count != 1)
		return sbx_fail(why, SBX_USAGE, "%s: see %s --help",
		    count == 0 ? "a file is missing" : "more than one file",
		    program);
	if (verb->operands == VERB_NONE && count != 0)
		return sbx_fail(why, SBX_USAGE,
		    "'%s' is one word too many: see %s --help", operands[0],
		    program);
	return SBX_OK;
}

int
verb_run(const struct verb *verb, int argc, char **argv, void *options)
{
	enum sbx_err err = SBX_OK;
	struct sbx_why why = { "" };
	int first = 0;

	for (int pass = verb->prepare == NULL; pass < 2 && err == SBX_OK;
	     pass++) {
		switch (opt_parse(verb->usage, argc, argv, options, &first)) {
		case OPT_DONE:
			return EX_OK;
		case OPT_WRONG:
			return EX_USAGE;
		case OPT_RUN:
			break;
		}
		err = check_operands(verb, argc - first, argv + first, &why);
		if (err == SBX_OK && pass == 0)
			err = verb->prepare(options, &why);
	}
	if (err == SBX_OK)
		err = verb->run(options, argv + first, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
