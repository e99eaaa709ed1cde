/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include "common/opt.h"

static const struct command commands[] = {
	{ "sign", "[options]", "make a revocation list", cmd_revocations_sign },
	{ "show", "[options] FILE", "print a revocation list",
	    cmd_revocations_show },
};

static const struct usage usage = {
	.program = "sandbox-cert revocations",
	.args = "COMMAND ...",
	.summary = "Signed lists of what the login gate must not let in any "
		   "more",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

int
cmd_revocations(int argc, char **argv)
{
	return opt_dispatch(&usage, argc, argv, /* values= */ NULL);
}
