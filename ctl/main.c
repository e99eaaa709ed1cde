/* SPDX-License-Identifier: ISC */
/*
 * sandboxctl: sandboxes, for people and workflow engines.
 */
#include <signal.h>
#include <sodium.h>

#include "common/log.h"
#include "ctl/ctl.h"

static const struct opt options[] = {
	{ 0, "FILE",
	    { "config", field_path, offsetof(struct ctl_globals, config), 0, 0,
		NULL, "settings, instead of the usual files", NULL } },
};

int
main(int argc, char **argv)
{
	const struct usage usage = {
		.program = "sandboxctl",
		.args = "[--config FILE] COMMAND ...",
		.summary = "Make, list, enter and remove sandboxes.",
		.options = options,
		.option_count = sizeof(options) / sizeof(options[0]),
		.commands = ctl_commands,
		.command_count = ctl_command_count,
	};

	log_init(argv[0]);
	/* A broker that hangs up is an error to tell, not an end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0)
		return log_failure(SBX_INTERNAL, NULL);
	return opt_dispatch(&usage, argc, argv, &ctl_globals);
}
