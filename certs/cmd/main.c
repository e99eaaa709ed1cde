/* SPDX-License-Identifier: ISC */
/* sandbox-cert(1): make a CA; issue, show, verify and revoke certificates. */
#include <sodium.h>

#include "certs/cmd/commands.h"
#include "common/log.h"
#include "common/opt.h"

static const struct command commands[] = {
	{ "ca-init", "[options] FILE", "make a CA key pair", cmd_ca_init },
	{ "ca-rotate", "[options] OLD.pub", "make the CA that comes after it",
	    cmd_ca_rotate },
	{ "ca-line", "[options] FILE.pub", "print a CA's line for known_hosts",
	    cmd_ca_line },
	{ "issue", "[options] KEY.pub", "issue a certificate", cmd_issue },
	{ "show", "[options] FILE", "print certificates", cmd_show },
	{ "revoke", "[options] CERT.pub...", "add certificates to a list",
	    cmd_revoke },
	{ "revocations", "sign|show ...", "make and print revocation lists",
	    cmd_revocations },
	{ "verify", "[options] FILE", "judge a certificate as the login gate",
	    cmd_verify },
};

static const struct usage usage = {
	.program = "sandbox-cert",
	.args = "COMMAND ...",
	.summary = "OpenSSH certificates for sandboxes; see COMMAND --help",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

int
main(int argc, char **argv)
{
	log_init(argv[0]);
	if (sodium_init() < 0) {
		log_error("libsodium cannot start: no source of randomness");
		return EX_SOFTWARE;
	}
	return opt_dispatch(&usage, argc, argv, /* values= */ NULL);
}
