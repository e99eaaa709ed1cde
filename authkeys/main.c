/* SPDX-License-Identifier: ISC */
/*
 * sandbox-authkeys: sshd's AuthorizedKeysCommand.  It prints one line that
 * lets the holder of a good certificate in, or nothing; see
 * sandbox-authkeys(8).
 */
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "authkeys/admit.h"
#include "authkeys/audit.h"
#include "authkeys/chain.h"
#include "authkeys/limits.h"
#include "authkeys/line.h"
#include "authkeys/refused.h"
#include "authkeys/syslog.h"
#include "common/log.h"
#include "common/opt.h"
#include "common/paths.h"

#define PROGRAM "sandbox-authkeys"
#define OPERANDS 3 /* and CONNECTION, if sshd knows it */

struct options {
	char config[FIELD_TEXT];
	uint64_t owner;
};

static const struct opt option_rows[] = {
	{ 'c', "FILE",
	    { "config", field_path, offsetof(struct options, config), 0, 0,
		PATHS_SYSTEM_CONFIG "/authkeys.conf", "configuration file",
		NULL } },
	{ 0, "UID",
	    { "owner", field_uint, offsetof(struct options, owner), 0,
		FILE_NO_OWNER - 1, NULL,
		"trust files of this user too, not only root's", NULL } },
};

static const struct usage usage = {
	.program = PROGRAM,
	.args = "[-c FILE] USER KEYTYPE KEYBLOB [CONNECTION]",
	.summary = "Print the authorized_keys line for a sandbox certificate "
		   "(sshd runs this).",
	.options = option_rows,
	.option_count = sizeof(option_rows) / sizeof(option_rows[0]),
	.stop_at_first = true,
};

extern char **environ;

/* One question of sshd's and all that was found out about it. */
struct call {
	time_t now;
	const char *user;
	struct gate_settings settings;
	struct request request;
	bool plain_key; /* and a well-formed one */
	struct decision decision;
	struct sbx_why why;
};

/* The log may be missing or full: neither is a reason to decide otherwise. */
static void
report(const struct call *call, enum sbx_err err)
{
	cleanup_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);
	struct audit audit = {
		.err = err,
		.user = call->user,
		.sandbox_id = call->settings.id,
		.cert = call->decision.parsed ? &call->decision.cert : NULL,
		.detail = call->why.text,
	};

	if (call->plain_key)
		audit.key = buf_view(&call->request.blob);

	audit_put(&audit, &line);
	if (syslog_send(SYSLOG_SOCKET,
		LOG_AUTHPRIV | (err == SBX_OK ? LOG_INFO : LOG_NOTICE), PROGRAM,
		buf_view(&line)) != SBX_OK)
		return;
}

/* Of a certificate: plain keys are none of ours.  Nor is this a reason. */
static void
note_refusal(const struct call *call, enum sbx_err err)
{
	const struct refusal refusal = { err, (uint64_t)call->now };
	const char *path = call->settings.last_refusal;

	if (*path == '\0' || !call->request.certificate || call->now < 0 ||
	    refused_put(path, geteuid(), &refusal) != SBX_OK)
		return;
}

/*
 * Nothing was printed, which is the denial.  With another status than 0 sshd
 * would log its whole command line, and so the certificate, at every attempt
 * of whoever likes: that is kept for what the operator must put right.
 */
static int
deny(const struct call *call, enum sbx_err err)
{
	report(call, err);
	note_refusal(call, err);
	(void)log_failure(err, &call->why);
	return sbx_err_exit(err) == EX_DATAERR ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What to log if time runs out; SIGALRM finds it ready to be sent. */
static struct buf last_words = BUF_INIT(SYSLOG_MESSAGE_MAX);

static void
on_alarm(int number)
{
	enum sbx_err logged;

	(void)number;
	/* Sending may hang too: the next one kills. */
	(void)alarm(1);
	logged = syslog_send_put(SYSLOG_SOCKET, buf_view(&last_words));
	(void)logged;
	_exit(EXIT_FAILURE);
}

static void
prepare_last_words(const struct call *call)
{
	const struct sigaction action = { .sa_handler = on_alarm,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
	const struct audit audit = { .err = SBX_TIMEOUT,
		.user = call->user,
		.sandbox_id = "",
		.detail = "it took too long, and was ended" };
	cleanup_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);

	audit_put(&audit, &line);
	syslog_put(
	    LOG_AUTHPRIV | LOG_NOTICE, PROGRAM, buf_view(&line), &last_words);
	if (buf_error(&last_words) == SBX_OK)
		(void)sigaction(SIGALRM, &action, NULL);
}

/* An empty answer: it has no say about this key either. */
static enum sbx_err
ask_chain(
    struct call *call, char *const operands[static OPERANDS], struct buf *ret)
{
	const struct chain_values values = { operands[0], operands[1],
		operands[2] };
	const struct gate_settings *settings = &call->settings;
	enum sbx_err err;

	limits_extend((unsigned)settings->then_timeout);
	err = chain_run(settings->then, &values, settings->then_timeout,
	    environ, ret, &call->why);
	if (err == SBX_OK && ret->len > 0)
		err = sbx_fail(&call->why, SBX_OK, "%s", settings->then);
	return err;
}

static enum sbx_err
judge_certificate(uid_t owner, struct call *call, struct buf *ret)
{
	const struct admit_context context = {
		.settings = &call->settings,
		.now = (uint64_t)call->now,
		.trusted_owner = owner,
		.state_owner = geteuid(),
		.connection = connection_of_parent,
	};
	enum sbx_err err;

	if (call->now < 0)
		return sbx_fail(
		    &call->why, SBX_INTERNAL, "the clock stands before 1970");
	err = admit(&context, &call->request, &call->decision, &call->why);
	if (err != SBX_OK)
		return err;
	*ret = BUF_INIT(LINE_MAX_LEN);
	line_put(
	    call->settings.id, call->decision.permit, call->decision.ca, ret);
	return buf_error(ret);
}

/* An empty answer with SBX_OK: a plain key, about which we have no say. */
static enum sbx_err
judge(const struct options *options, char *const operands[static OPERANDS],
    struct call *call, struct buf *ret)
{
	enum sbx_err err = gate_settings_read(options->config,
	    (uid_t)options->owner, &call->settings, &call->why);
	bool chained = call->settings.then[0] != '\0';

	/* Before a stranger's bytes are looked at, unless it must wait. */
	if (err == SBX_OK && !chained)
		err = limits_seal(&call->why);
	if (err == SBX_OK)
		err = request_parse(operands[0], operands[1], operands[2],
		    &call->request, &call->why);
	if (err == SBX_OK && operands[OPERANDS] != NULL)
		err = request_set_connection(
		    &call->request, operands[OPERANDS], &call->why);
	if (err != SBX_OK)
		return err;
	call->plain_key = !call->request.certificate;
	if (call->plain_key)
		return chained ? ask_chain(call, operands, ret) : SBX_OK;
	if (chained)
		err = limits_seal(&call->why);
	return err != SBX_OK
	    ? err
	    : judge_certificate((uid_t)options->owner, call, ret);
}

static int
answer(const struct options *options, char *const operands[static OPERANDS],
    struct call *call)
{
	cleanup_buf struct buf text = BUF_INIT(0);
	enum sbx_err err = judge(options, operands, call, &text);

	if (err != SBX_OK)
		return deny(call, err);
	if (text.len == 0)
		return EXIT_SUCCESS;
	report(call, SBX_OK);
	/* Last of all, and at once: sshd takes all of it or nothing. */
	if (write(STDOUT_FILENO, text.p, text.len) == (ssize_t)text.len)
		return EXIT_SUCCESS;
	return deny(call,
	    sbx_fail(&call->why, SBX_IO, "cannot write the answer: %s",
		strerror(errno)));
}

int
main(int argc, char **argv)
{
	struct call call = { .now = time(NULL), .user = "" };
	struct options values = { .owner = FILE_NO_OWNER };
	int first = argc, status;
	enum sbx_err err;

	log_init(argc > 0 ? argv[0] : PROGRAM);
	err = limits_apply(&call.why);
	if (err == SBX_OK && sodium_init() < 0)
		err = sbx_fail(
		    &call.why, SBX_INTERNAL, "libsodium does not start");
	if (err != SBX_OK)
		return deny(&call, err);
	switch (opt_parse(&usage, argc, argv, &values, &first)) {
	case OPT_DONE:
		return opt_status(OPT_DONE);
	case OPT_WRONG:
		report(&call, SBX_USAGE);
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (argc - first != OPERANDS && argc - first != OPERANDS + 1) {
		report(&call, SBX_USAGE);
		log_error("wrong number of operands: see %s --help", PROGRAM);
		return EX_USAGE;
	}
	call.user = argv[first];
	prepare_last_words(&call);
	status = answer(&values, argv + first, &call);
	request_free(&call.request);
	return status;
}
