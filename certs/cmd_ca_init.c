#include "certs/commands.h"

#include "certs/ca_files.h"
#include "certs/operand.h"
#include "common/log.h"

struct options {
	char comment[FIELD_TEXT];
};

static const struct opt rows[] = {
	{ 'C', "TEXT",
	    { .name = "comment",
		.parse = field_text,
		.offset = offsetof(struct options, comment),
		.def = CA_COMMENT,
		.help = "comment in both files" } },
};

static const struct usage usage = {
	.program = "sandbox-cert ca-init",
	.args = "[options] FILE",
	.summary = "Make an Ed25519 CA: FILE, only for its owner, and FILE.pub",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

int
cmd_ca_init(int argc, char **argv)
{
	struct options options;
	struct sbx_why why = { "" };
	uint8_t public[KEY_ED25519_LEN];
	const char *path;
	enum sbx_err err;

	switch (operand_parse(&usage, argc, argv, &options, &path)) {
	case OPT_DONE:
		return EX_OK;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (!ca_comment_ok(options.comment) || operand_is_stdin(path)) {
		log_error("%s",
		    operand_is_stdin(path)
			? "a CA key goes into a file: name one"
			: "the comment has control characters in it");
		return EX_USAGE;
	}
	err = ca_files_make(path, options.comment, public, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
