#include "certs/commands.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certs/check.h"
#include "certs/operand.h"
#include "common/file.h"
#include "common/log.h"
#include "common/name.h"
#include "common/text.h"

struct options {
	char ca[FIELD_TEXT];
	char sandbox[FIELD_TEXT];
	uint64_t now;
	uint64_t skew;
	uint64_t max_ttl;
	uint64_t issued_after;
};

#define ROW(arg_, name_, parse_, member, ...)                       \
	{                                                           \
		0, arg_,                                            \
		{                                                   \
			.name = name_, .parse = parse_,             \
			.offset = offsetof(struct options, member), \
			__VA_ARGS__                                 \
		}                                                   \
	}

static const struct opt rows[] = {
	ROW("FILE", "ca", field_text, ca, .help = "public keys of trusted CAs"),
	ROW("ID", "sandbox", field_text, sandbox,
	    .help = "the sandbox that is to be entered"),
	ROW("UNIXTIME", "now", field_uint, now,
	    .help = "the time to judge at, else the clock's"),
	ROW("TIME", "skew", field_duration, skew, .def = "60s",
	    .help = "how far its start may lie ahead"),
	ROW("TIME", "max-ttl", field_duration, max_ttl, .def = "24h",
	    .help = "the longest life allowed"),
	ROW("UNIXTIME", "issued-after", field_uint, issued_after,
	    .help = "the earliest start allowed"),
};

static const struct usage usage = {
	.program = "sandbox-cert verify",
	.args = "--ca FILE.pub --sandbox ID [options] FILE",
	.summary = "Would the login gate let this certificate in? "
		   "FILE - is standard input",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

static void
put_value(const char *name, struct view value, struct buf *ret)
{
	if (value.len == 0)
		return;
	buf_printf(ret, "%s ", name);
	text_escape(value, CERT_OPTIONS_MAX, /* quote= */ false, ret);
	buf_put_text(ret, "\n");
}

static void
put_grant(const struct cert_grant *grant, struct buf *ret)
{
	buf_put_text(ret, "ok\npermit");
	for (size_t i = 0; i < permit_row_count; i++) {
		if ((grant->permit & permit_rows[i].bit) != 0)
			buf_printf(ret, " %s", permit_rows[i].word);
	}
	buf_put_text(ret, grant->permit == 0 ? " none\n" : "\n");
	put_value(CERT_OPT_FORCE_COMMAND, grant->force_command, ret);
	put_value(CERT_OPT_SOURCE_ADDRESS, grant->source_address, ret);
	if (grant->verify_required)
		buf_put_text(ret, CERT_OPT_VERIFY_REQUIRED "\n");
	if (grant->single_use)
		buf_put_text(ret, "single-use\n");
}

static enum sbx_err
judge(struct view line, const struct cert_policy *policy, struct buf *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct cert_grant grant;
	struct cert cert;
	enum sbx_err err = cert_parse_line(line, &blob, &cert);

	if (err == SBX_OK)
		err = cert_check(&cert, policy, &grant);
	if (err == SBX_OK)
		put_grant(&grant, ret);
	else
		buf_printf(
		    ret, "%s: %s\n", sbx_err_name(err), sbx_err_text(err));
	return err;
}

/* *ret_verdict is the gate's answer; the result says whether there is one. */
static enum sbx_err
run(const struct options *options, const char *operand,
    enum sbx_err *ret_verdict, struct sbx_why *why)
{
	cleanup_buf struct buf ca_text = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	/* Every byte of an option may become "\xHH". */
	cleanup_buf struct buf out = BUF_INIT(5 * CERT_BLOB_MAX);
	struct ca_set trusted;
	struct view line;
	const struct cert_policy policy = {
		.sandbox_id = options->sandbox,
		.trusted = &trusted,
		.now = options->now,
		.clock_skew = options->skew,
		.max_ttl = options->max_ttl,
		.issued_after = options->issued_after,
		.permit = ~0U,
	};
	enum sbx_err err = name_check_id(options->sandbox, why);

	if (err == SBX_OK)
		err = operand_read(options->ca, &ca_text, why);
	if (err == SBX_OK)
		err = ca_set_parse(operand_name(options->ca),
		    buf_view(&ca_text), &trusted, why);
	if (err == SBX_OK)
		err = ca_set_check(operand_name(options->ca), &trusted, why);
	if (err == SBX_OK)
		err = operand_read(operand, &text, why);
	if (err == SBX_OK)
		err = operand_line(operand, buf_view(&text), &line, why);
	if (err != SBX_OK)
		return err;
	*ret_verdict = judge(line, &policy, &out);
	if (buf_error(&out) != SBX_OK)
		return buf_error(&out);
	if (file_write_fd(STDOUT_FILENO, buf_view(&out)) != SBX_OK)
		return sbx_fail(why, SBX_IO, "cannot write the verdict: %s",
		    strerror(errno));
	return SBX_OK;
}

int
cmd_verify(int argc, char **argv)
{
	struct options options = { .now = (uint64_t)time(NULL) };
	enum sbx_err err, verdict = SBX_INTERNAL;
	struct sbx_why why = { "" };
	const char *operand;

	switch (operand_parse(&usage, argc, argv, &options, &operand)) {
	case OPT_DONE:
		return EX_OK;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (options.ca[0] == '\0' || options.sandbox[0] == '\0') {
		log_error("--%s is missing: see %s --help",
		    options.ca[0] == '\0' ? "ca" : "sandbox", usage.program);
		return EX_USAGE;
	}
	err = run(&options, operand, &verdict, &why);
	return err == SBX_OK ? sbx_err_exit(verdict) : log_failure(err, &why);
}
