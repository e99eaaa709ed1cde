/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <limits.h>

#include "certs/cmd/operand.h"
#include "certs/cmd/print.h"
#include "certs/cmd/verb.h"
#include "common/text.h"

#define OUTPUT_MAX ((size_t)16 * OPERAND_MAX)

struct options {
	bool json;
};

static const struct opt rows[] = {
	VERB_ROW(0, NULL, "json", field_bool, json,
	    .help = "print a JSON object per line"),
};

static const struct usage usage = {
	.program = "sandbox-cert show",
	.args = "[options] FILE",
	.summary = "Print certificates as ssh-keygen -L does; "
		   "FILE - is standard input",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

/* The number of the line, unless it is a file's first: as ssh-keygen -L. */
static void
put_title(const char *operand, size_t number, struct buf *ret)
{
	text_escape(VIEW_STR(operand_name(operand)), PATH_MAX,
	    /* quote= */ false, ret);
	if (number > 1 || operand_is_stdin(operand))
		buf_printf(ret, ":%zu", number);
	buf_put_text(ret, ":\n");
}

static enum sbx_err
show_line(const struct options *options, struct view line, struct buf *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct cert cert;
	enum sbx_err err = cert_parse_line(line, &blob, &cert);

	if (err != SBX_OK)
		return err;
	return options->json ? print_json(&cert, ret) : print_text(&cert, ret);
}

static enum sbx_err
show(const struct options *options, const char *operand, struct view text,
    struct buf *ret, struct sbx_why *why)
{
	struct view line;
	size_t shown = 0;

	for (size_t number = 1; text_next_line(&text, &line); number++) {
		enum sbx_err err;

		if (operand_skips(line))
			continue;
		if (!options->json)
			put_title(operand, number, ret);
		err = show_line(options, line, ret);
		if (err != SBX_OK)
			return sbx_fail(why, err,
			    "%s:%zu: %s: give a "
			    "certificate, as in KEY-cert.pub",
			    operand_name(operand), number, sbx_err_text(err));
		shown++;
	}
	if (shown > 0)
		return buf_error(ret);
	return sbx_fail(why, SBX_BAD_VALUE, "%s has no certificate in it",
	    operand_name(operand));
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	const char *operand = operands[0];
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf out = BUF_INIT(OUTPUT_MAX);
	enum sbx_err err = operand_read(operand, &text, why);

	if (err == SBX_OK)
		err = show(options, operand, buf_view(&text), &out, why);
	return err != SBX_OK ? err
			     : operand_write("-", &out, "cannot write", why);
}

int
cmd_show(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ONE_FILE, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
