/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <string.h>

#include "certs/cmd/ca_files.h"
#include "certs/cmd/ca_source.h"
#include "certs/cmd/operand.h"
#include "certs/cmd/verb.h"

struct options {
	char host_pattern[FIELD_TEXT];
};

static const struct opt rows[] = {
	VERB_ROW(0, "PATTERN,...", "host-pattern", field_text, host_pattern,
	    .def = "*.sandbox", .help = "the hosts whose certificates count"),
};

static const struct usage usage = {
	.program = "sandbox-cert ca-line",
	.args = "[options] FILE.pub",
	.summary = "Print the line of known_hosts by which ssh trusts a CA's "
		   "host certificates; FILE.pub - is standard input",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

/* As in known_hosts: names with "*", "?" and "!", commas between them. */
static bool
is_pattern(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_*?!,[]:";

	return strspn(text, allowed) == strlen(text);
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf line = BUF_INIT(OPERAND_MAX);
	uint8_t public[KEY_ED25519_LEN];
	enum sbx_err err;

	if (!is_pattern(options->host_pattern))
		return sbx_fail(why, SBX_USAGE,
		    "--host-pattern is not like *.sandbox,host?: see %s "
		    "--help",
		    usage.program);
	err = ca_source_public(operands[0], public, why);
	if (err != SBX_OK)
		return err;
	key_put_ed25519(public, &blob);
	buf_printf(&line, "@cert-authority %s ", options->host_pattern);
	key_put_line(buf_view(&blob), CA_COMMENT, &line);
	buf_put_text(&line, "\n");
	buf_fail(&line, buf_error(&blob));
	return operand_write("-", &line, "cannot write the line", why);
}

int
cmd_ca_line(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ONE_FILE, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
