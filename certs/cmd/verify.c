/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <time.h>
#include <unistd.h>

#include "authkeys/admit.h"
#include "certs/cmd/operand.h"
#include "certs/cmd/verb.h"
#include "common/file.h"
#include "common/text.h"

struct options {
	char config[FIELD_TEXT];
	uint64_t owner;
	char ca[FIELD_TEXT];
	char sandbox[FIELD_TEXT];
	char user[FIELD_TEXT];
	uint64_t now;
	struct gate_settings settings;
	enum sbx_err verdict; /* the gate's answer, when there is one */
};

/* No defaults: those are the gate's own, or what its file says. */
static const struct opt rows[] = {
	VERB_ROW('c', "FILE", "config", field_path, config,
	    .help = "the gate's own settings"),
	VERB_ROW(0, "UID", "owner", field_uint, owner, .max = FILE_NO_OWNER - 1,
	    .help = "as of sandbox-authkeys"),
	VERB_ROW(0, "NAME", "user", field_text, user,
	    .help = "the account to be logged in to"),
	VERB_ROW(0, "FILE", "ca", field_text, ca,
	    .help = "public keys of trusted CAs"),
	VERB_ROW(0, "ID", "sandbox", field_text, sandbox,
	    .help = "the sandbox that is to be entered"),
	VERB_ROW(0, "UNIXTIME", "now", field_uint, now,
	    .help = "the time to judge at, else the clock's"),
	VERB_ROW(0, "TIME", "skew", field_duration, settings.clock_skew,
	    .max = GATE_CLOCK_SKEW_MAX,
	    .help = "how far its start may lie ahead"),
	VERB_ROW(0, "TIME", "max-ttl", field_duration, settings.max_ttl,
	    .min = 1, .max = CHECK_TTL_MAX, .help = "the longest life allowed"),
	VERB_ROW(0, "UNIXTIME", "issued-after", field_uint,
	    settings.issued_after, .help = "the earliest start allowed"),
	VERB_ROW(0, "FILE", "revoked", field_text, settings.revoked,
	    .help = "the revocation list"),
	VERB_ROW(0, "TIME", "revoked-max-age", field_duration,
	    settings.revoked_max_age, .min = 1,
	    .help = "how old that list may be"),
};

static const struct usage usage = {
	.program = "sandbox-cert verify",
	.args = "-c FILE|--ca FILE.pub --sandbox ID [options] FILE",
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
put_grant(const struct decision *decision, struct buf *ret)
{
	const struct cert_grant *grant = &decision->grant;

	buf_put_text(ret, "ok\npermit");
	for (size_t i = 0; i < permit_row_count; i++) {
		if ((decision->permit & permit_rows[i].bit) != 0)
			buf_printf(ret, " %s", permit_rows[i].word);
	}
	buf_put_text(ret, decision->permit == 0 ? " none\n" : "\n");
	put_value(CERT_OPT_FORCE_COMMAND, grant->force_command, ret);
	put_value(CERT_OPT_SOURCE_ADDRESS, grant->source_address, ret);
	if (grant->verify_required)
		buf_put_text(ret, CERT_OPT_VERIFY_REQUIRED "\n");
	if (decision->single_use)
		buf_put_text(ret, "single-use\n");
}

static void
put_refusal(enum sbx_err err, const struct sbx_why *why, struct buf *ret)
{
	buf_printf(ret, "%s: %s\n", sbx_err_name(err), sbx_err_text(err));
	put_value("detail", VIEW_STR(why->text), ret);
}

/* All that the gate does with a certificate, but for what it remembers. */
static enum sbx_err
judge(struct view line, const struct options *options, struct buf *ret)
{
	const struct gate_settings *settings = &options->settings;
	cleanup_request struct request request = { .user = options->user,
		.blob = BUF_INIT(CERT_BLOB_MAX),
		.certificate = true };
	struct cert cert;
	struct decision decision;
	struct revoked_list list;
	struct sbx_why why = { "" };
	enum sbx_err err = cert_parse_line(line, &request.blob, &cert);

	if (err == SBX_OK)
		err = admit_judge(&request, settings, (uid_t)options->owner,
		    options->now, &decision, &list, &why);
	if (err == SBX_OK)
		put_grant(&decision, ret);
	else
		put_refusal(err, &why, ret);
	return err;
}

/* What the gate would read, or its defaults. */
static enum sbx_err
read_settings(void *values, struct sbx_why *why)
{
	struct options *options = values;
	struct gate_settings *settings = &options->settings;
	bool file = options->config[0] != '\0';
	enum sbx_err err;

	if (!file && (options->ca[0] == '\0' || options->sandbox[0] == '\0'))
		return sbx_fail(why, SBX_USAGE,
		    "--%s is missing: see %s --help",
		    options->ca[0] == '\0' ? "ca" : "sandbox", usage.program);
	if (options->owner == FILE_NO_OWNER && !file)
		options->owner = geteuid();
	if (file)
		return gate_settings_read(
		    options->config, (uid_t)options->owner, settings, why);
	*settings = (struct gate_settings){ .login_users = { .count = 1 } };
	err = conf_defaults(&gate_settings_table, settings, why);
	if (err == SBX_OK)
		err = text_copy(VIEW_STR(options->user),
		    settings->login_users.word[0], FIELD_WORD);
	/* Not known here: that it permits all, and can remember a use. */
	settings->permit = ~0U;
	return err != SBX_OK ? err
			     : text_copy(VIEW_STR("/"), settings->state_dir,
				   sizeof(settings->state_dir));
}

/* What was said with options counts more than what the file says. */
static enum sbx_err
apply_names(struct options *options, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	struct gate_settings *settings = &options->settings;
	struct ca_set *trusted = &settings->trusted;
	enum sbx_err err = SBX_OK;

	if (options->user[0] == '\0')
		err = text_copy(VIEW_STR(settings->login_users.word[0]),
		    options->user, sizeof(options->user));
	if (err == SBX_OK && options->sandbox[0] != '\0') {
		err = name_check_id(options->sandbox, why);
		if (err == SBX_OK)
			err = text_copy(VIEW_STR(options->sandbox),
			    settings->id, sizeof(settings->id));
	}
	if (err != SBX_OK || options->ca[0] == '\0')
		return err;
	err = operand_read(options->ca, &text, why);
	/* Whom to trust is a setting. */
	if (err == SBX_NOT_FOUND || err == SBX_UNREADABLE)
		return SBX_CONFIG;
	if (err == SBX_OK)
		err = ca_set_parse(
		    operand_name(options->ca), buf_view(&text), trusted, why);
	if (err == SBX_OK)
		err = ca_set_check(operand_name(options->ca), trusted, why);
	return err;
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	struct options *options = values;
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	/* Every byte of an option may become "\xHH". */
	cleanup_buf struct buf out = BUF_INIT(5 * CERT_BLOB_MAX);
	struct view line;
	enum sbx_err err = apply_names(options, why);

	if (err == SBX_OK)
		err = operand_read_line(operands[0], &text, &line, why);
	if (err != SBX_OK)
		return err;
	options->verdict = judge(line, options, &out);
	return operand_write("-", &out, "cannot write the verdict", why);
}

int
cmd_verify(int argc, char **argv)
{
	/* The options count more than the file that they name. */
	static const struct verb verb = { &usage, VERB_ONE_FILE, run,
		read_settings };
	struct options options = { .now = (uint64_t)time(NULL),
		.owner = FILE_NO_OWNER };
	int status = verb_run(&verb, argc, argv, &options);

	return status == EX_OK ? sbx_err_exit(options.verdict) : status;
}
