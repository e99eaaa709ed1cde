/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "ctl/attend.h"
#include "ctl/own_config.h"
#include "ctl/resolve.h"
#include "ctl/sshline.h"
#include "ctl/upload.h"
#include "ctl/wish.h"

enum on_failure { FAILURE_REMOVE, FAILURE_KEEP };

static const char *const on_failure_words[] = { "remove", "keep", NULL };

struct values {
	struct wish wish;
	bool ssh;
	bool preserve;
	uint64_t ttl; /* seconds; 0: as configured */
	char upload[FIELD_TEXT];
	int on_failure;
	bool json;
};

#define AT(m) offsetof(struct values, m)

static const struct opt options[] = {
	WISH_OPTIONS(AT(wish)),
	{ 0, NULL,
	    { "ssh", field_bool, AT(ssh), 0, 0, NULL,
		"say how to get in while it runs", NULL } },
	{ 0, NULL,
	    { "preserve", field_bool, AT(preserve), 0, 0, NULL,
		"keep the sandbox when the command has ended", NULL } },
	{ 0, "DURATION",
	    { "ttl", field_minutes, AT(ttl), 1, LIMITS_TTL_MAX, NULL,
		"life of the certificate, a number alone being minutes",
		NULL } },
	{ 0, "DIR",
	    { "upload", field_text, AT(upload), 0, 0, NULL,
		"put what is in it into the workspace first", NULL } },
	{ 0, "WHAT",
	    { "on-failure", field_choice, AT(on_failure), 0, 0, "remove",
		"what to do with the sandbox of a command that fails",
		on_failure_words } },
	SANDBOX_JSON_OPTION(AT(json)),
};

static const struct usage usage = {
	.program = "sandboxctl run",
	.args = "[options] [ID] -- COMMAND...",
	.summary = "Make a sandbox, run a command in its workspace, remove it.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

struct run {
	struct values values;
	const char *id; /* NULL: the broker chooses */
	char *const *command;
	struct broker broker;
	struct made made;
	bool kept; /* it outlives us */
};

/*
 * Steps, as lines of JSON, and for people on standard error: standard output
 * is the command's.
 */

static struct json_object *
step(const struct run *run, const char *name)
{
	struct json_object *o = json_object_new_object();

	(void)json_object_object_add(o, "step", json_object_new_string(name));
	(void)json_object_object_add(
	    o, "id", json_object_new_string(run->made.sandbox.id));
	return o;
}

static void
add_text(struct json_object *o, const char *key, const char *format,
    const char *text)
{
	char line[NAME_ALIAS_MAX + 32];

	(void)snprintf(line, sizeof(line), "%s %s", format, text);
	(void)json_object_object_add(o, key, json_object_new_string(line));
}

static void
tell(const struct run *run, struct json_object *o)
{
	if (run->values.json) {
		sandbox_print_json(o);
		(void)fflush(stdout);
	}
	(void)json_object_put(o);
}

static void
tell_sandbox(const struct run *run)
{
	struct json_object *o = step(run, "sandbox");

	(void)json_object_object_add(
	    o, "sandbox", json_object_get(run->made.object));
	tell(run, o);
	sandbox_warn(&run->made.sandbox);
}

static void
tell_ssh(const struct run *run)
{
	struct json_object *o = step(run, "ssh");

	add_text(o, "command", "ssh", run->made.alias.text);
	tell(run, o);
	if (!run->values.json)
		(void)fprintf(stderr, "ssh %s\n", run->made.alias.text);
}

static void
tell_exit(const struct run *run, int status)
{
	struct json_object *o = step(run, "exit");

	(void)json_object_object_add(o, "status", json_object_new_int(status));
	tell(run, o);
}

static void
tell_end(const struct run *run)
{
	struct json_object *o = step(run, "end");

	(void)json_object_object_add(
	    o, "kept", json_object_new_boolean(run->kept));
	if (run->kept) {
		add_text(o, "enter", "ssh", run->made.alias.text);
		add_text(o, "remove", "sandboxctl kill", run->made.alias.text);
	}
	tell(run, o);
	if (run->kept && !run->values.json)
		log_error("%s is kept: get in with 'ssh %s', remove it with "
			  "'sandboxctl kill %s'",
		    run->made.sandbox.id, run->made.alias.text,
		    run->made.sandbox.id);
}

/*
 * Before there is anything.
 */

/* A line that we would print must be one that works. */
static enum sbx_err
check_ssh(const struct run *run, struct sbx_why *why)
{
	const char *domain = run->values.wish.domain;
	char name[NAME_ALIAS_MAX + 1];
	int len;

	if (!run->values.ssh && !run->values.preserve &&
	    run->values.on_failure != FAILURE_KEEP)
		return SBX_OK;
	if (run->id != NULL && strchr(run->id, '.') != NULL)
		return sshline_check(run->id, NULL, 0, why);
	len = snprintf(name, sizeof(name), "%s.%s",
	    run->id == NULL ? "x" : run->id,
	    *domain == '\0' ? NAME_SUFFIX_DEFAULT : domain);
	if (len >= (int)sizeof(name))
		return sbx_fail(why, SBX_BAD_NAME, "the name is too long");
	return sshline_check(name, NULL, 0, why);
}

static enum sbx_err
check(struct run *run, struct sbx_why *why)
{
	struct values *values = &run->values;
	enum sbx_err err = SBX_OK;

	if (values->preserve && values->wish.timeout.session)
		return sbx_fail(why, SBX_USAGE,
		    "--preserve and --timeout session exclude each other");
	values->wish.timeout.session = !values->preserve;
	if (run->id != NULL)
		err = ctl_check_name(run->id, why);
	if (err == SBX_OK && *values->upload != '\0')
		err = upload_check(values->upload, why);
	return err == SBX_OK ? check_ssh(run, why) : err;
}

/*
 * What is done in it.
 */

/* What keeps ssh out is told before ssh would. */
static enum sbx_err
prepare(struct run *run, int *ret_status, struct sbx_why *why)
{
	enum sbx_err err = resolve_prepare(&run->broker.paths,
	    run->made.alias.text, run->values.ttl, ret_status, why);

	if (err == SBX_OK && *ret_status == 0 && run->values.ssh)
		tell_ssh(run);
	return err;
}

static enum sbx_err
upload(const struct run *run, const struct attend *attend, struct sbx_why *why)
{
	const char *ssh[ATTEND_SSH_WORDS];
	enum sbx_err err;

	attend_put_ssh(attend, ssh);
	err = upload_run(run->values.upload, ssh, why);
	if (err == SBX_OK)
		tell(run, step(run, "uploaded"));
	return err;
}

static enum sbx_err
work(struct run *run, int *ret_status, struct sbx_why *why)
{
	cleanup_close int config_fd = -1;
	char config[PATHS_MAX];
	const struct attend attend = { .config = config,
		.name = run->made.alias.text,
		.command = run->command,
		.terminal = !run->values.json && isatty(STDIN_FILENO) != 0 &&
		    isatty(STDOUT_FILENO) != 0,
		.output_to_err = run->values.json,
		.stream = run->made.stream };
	enum sbx_err err = prepare(run, ret_status, why);

	if (err != SBX_OK || *ret_status != 0)
		return err;
	err = own_config_open(attend.name, &config_fd, config, why);
	if (err == SBX_OK && *run->values.upload != '\0')
		err = upload(run, &attend, why);
	if (err == SBX_OK)
		err = attend_run(&attend, ret_status, why);
	if (err == SBX_OK)
		tell_exit(run, *ret_status);
	return err;
}

/*
 * The end.
 */

/* It lives on although we end. */
static enum sbx_err
untie(struct run *run, struct sbx_why *why)
{
	cleanup_object struct json_object *body = json_object_new_object();
	cleanup_object struct json_object *answer = NULL;

	if (body == NULL ||
	    json_object_object_add(
		body, "session", json_object_new_boolean(false)) != 0)
		return SBX_NOMEM;
	return ctl_call(
	    &run->broker, "PATCH", /* tail= */ "", body, &answer, why);
}

/* If the broker does not do it now, it does when our stream ends. */
static void
finish(struct run *run, bool failed)
{
	bool keep = failed && run->values.on_failure == FAILURE_KEEP;
	cleanup_object struct json_object *answer = NULL;
	struct sbx_why why = { "" };
	enum sbx_err err = SBX_OK;

	run->kept = run->values.preserve || keep;
	if (!run->values.preserve && keep)
		err = untie(run, &why);
	if (!run->kept) {
		err = ctl_call(&run->broker, "DELETE", /* tail= */ "", NULL,
		    &answer, &why);
		resolve_note(
		    &run->broker.paths, &run->made.alias, /* there= */ false);
	}
	if (err == SBX_NOT_FOUND) {
		log_error("%s was removed meanwhile", run->made.sandbox.id);
		run->kept = false;
	} else if (err != SBX_OK) {
		log_error(
		    "%s: %s", run->made.sandbox.id, sbx_why_text(&why, err));
		run->kept = false;
	}
	tell_end(run);
}

static int
go(struct run *run)
{
	struct sbx_why why = { "" };
	int status = 0;
	enum sbx_err err = check(run, &why);

	if (err == SBX_OK)
		err = wish_create(
		    &run->broker, run->id, &run->values.wish, &run->made, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	if (*run->made.alias.text == '\0')
		return ctl_failure(SBX_PROTOCOL, NULL);
	attend_begin();
	run->broker.alias = run->made.alias;
	tell_sandbox(run);
	err = work(run, &status, &why);
	if (err != SBX_OK)
		status = ctl_failure(err, &why);
	finish(run, status != 0);
	return status;
}

static int
wrong(const char *text)
{
	log_error("%s", text);
	return opt_status(OPT_WRONG);
}

int
ctl_run(int argc, char **argv)
{
	static const struct operands want = { 0, 1, NULL };
	struct run run = { .broker = BROKER_INIT };
	int first = 0, own = 1, status;
	enum opt_result result;

	while (own < argc && strcmp(argv[own], "--") != 0)
		own++;
	result = opt_parse(&usage, own, argv, &run.values, &first);
	if (result == OPT_RUN)
		result = opt_operands(&usage, own, argv, first, &want);
	if (result != OPT_RUN)
		return opt_status(result);
	if (argc - own < 2)
		return wrong("what is to run stands behind --: sandboxctl run "
			     "[options] [ID] -- COMMAND...");
	run.id = first < own ? argv[first] : NULL;
	run.command = argv + own + 1;
	status = go(&run);
	made_free(&run.made);
	ctl_close(&run.broker);
	return status;
}
