#include "certs/commands.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "certs/ca_files.h"
#include "certs/ca_source.h"
#include "certs/operand.h"
#include "common/file.h"
#include "common/log.h"

struct options {
	char host_pattern[FIELD_TEXT];
};

static const struct opt rows[] = {
	{ 0, "PATTERN,...",
	    { .name = "host-pattern",
		.parse = field_text,
		.offset = offsetof(struct options, host_pattern),
		.def = "*.sandbox",
		.help = "the hosts whose certificates count" } },
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
run(const struct options *options, const char *operand, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf line = BUF_INIT(OPERAND_MAX);
	uint8_t public[KEY_ED25519_LEN];
	enum sbx_err err = ca_source_public(operand, public, why);

	if (err != SBX_OK)
		return err;
	key_put_ed25519(public, &blob);
	buf_printf(&line, "@cert-authority %s ", options->host_pattern);
	key_put_line(buf_view(&blob), CA_COMMENT, &line);
	buf_put_text(&line, "\n");
	buf_fail(&line, buf_error(&blob));
	if (buf_error(&line) != SBX_OK)
		return buf_error(&line);
	if (file_write_fd(STDOUT_FILENO, buf_view(&line)) != SBX_OK)
		return sbx_fail(
		    why, SBX_IO, "cannot write the line: %s", strerror(errno));
	return SBX_OK;
}

int
cmd_ca_line(int argc, char **argv)
{
	struct options options = { "" };
	struct sbx_why why = { "" };
	const char *operand;
	enum sbx_err err;

	switch (operand_parse(&usage, argc, argv, &options, &operand)) {
	case OPT_DONE:
		return EX_OK;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (!is_pattern(options.host_pattern)) {
		log_error("--host-pattern is not like *.sandbox,host?: see %s "
			  "--help",
		    usage.program);
		return EX_USAGE;
	}
	err = run(&options, operand, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
