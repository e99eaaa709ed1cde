/* SPDX-License-Identifier: ISC */
#include "certs/cmd/verb.h"

#include "common/log.h"

int
verb_run(const struct verb *verb, int argc, char **argv, void *options)
{
	enum sbx_err err = SBX_OK;
	struct sbx_why why = { "" };
	int first = 0;

	for (int pass = verb->prepare == NULL; pass < 2 && err == SBX_OK;
	     pass++) {
		enum opt_result result =
		    opt_parse(verb->usage, argc, argv, options, &first);

		if (result == OPT_RUN)
			result = opt_operands(
			    verb->usage, argc, argv, first, &verb->operands);
		if (result != OPT_RUN)
			return opt_status(result);
		if (pass == 0)
			err = verb->prepare(options, &why);
	}
	if (err == SBX_OK)
		err = verb->run(options, argv + first, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
