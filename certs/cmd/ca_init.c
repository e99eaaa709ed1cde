/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include "certs/cmd/ca_files.h"
#include "certs/cmd/operand.h"
#include "certs/cmd/verb.h"

struct options {
	char comment[FIELD_TEXT];
};

static const struct opt rows[] = {
	VERB_ROW('C', "TEXT", "comment", field_text, comment, .def = CA_COMMENT,
	    .help = "comment in both files"),
};

static const struct usage usage = {
	.program = "sandbox-cert ca-init",
	.args = "[options] FILE",
	.summary = "Make an Ed25519 CA: FILE, only for its owner, and FILE.pub",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	uint8_t public[KEY_ED25519_LEN];
	enum sbx_err err = SBX_OK;

	if (operand_is_stdin(operands[0]))
		err = sbx_fail(
		    why, SBX_USAGE, "a CA key goes into a file: name one");
	if (err == SBX_OK)
		err = ca_comment_check(options->comment, why);
	return err != SBX_OK
	    ? err
	    : ca_files_make(operands[0], options->comment, public, why);
}

int
cmd_ca_init(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ONE_FILE, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
