/* SPDX-License-Identifier: ISC */
/*
 * sandbox-resolve: asks the broker, writes the cache.  Run by sandbox-proxy
 * when the cache is not enough, so its messages bear the name that the
 * person who typed "ssh" knows.
 */
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/opt.h"
#include "net/settings.h"
#include "proxycmd/origin.h"
#include "proxycmd/resolve/health.h"
#include "proxycmd/resolve/work.h"

struct values {
	char cache[FIELD_TEXT];
	char config[FIELD_TEXT];
	char suffix[FIELD_TEXT];
	uint64_t ttl;
	struct wish wish;
	bool quiet;
};

static struct values values = { .wish = WISH_INIT };

#define MEMBER(m) offsetof(struct values, m)

static const struct opt options[] = {
	{ 0, "DIR",
	    { "cache", field_path, MEMBER(cache), 0, 0, NULL,
		"the cache, instead of ~/.cache/sandbox-ssh", NULL } },
	{ 0, "FILE",
	    { "config", field_path, MEMBER(config), 0, 0, NULL,
		"settings, instead of the usual files", NULL } },
	{ 0, "SUFFIX",
	    { "suffix", field_text, MEMBER(suffix), 0, 0, NAME_SUFFIX_DEFAULT,
		"what names end in", NULL } },
	{ 0, "DURATION",
	    { "ttl", field_duration, MEMBER(ttl), 1, LIMITS_TTL_MAX, NULL,
		"new credentials that live so long", NULL } },
	{ 0, "WORDS",
	    { "permit", field_permit, MEMBER(wish.permit), 0, 0, NULL,
		"what the credentials of this cache allow, or none", NULL } },
	{ 0, NULL,
	    { "single-use", field_bool, MEMBER(wish.single_use), 0, 0, NULL,
		"they are good for one connection each", NULL } },
	{ 0, "CIDR,...",
	    { "source-address", wish_field_source_address,
		MEMBER(wish.source_address), 0, 0, NULL,
		"they are good from there", NULL } },
	{ 0, "COMMAND",
	    { "force-command", field_text, MEMBER(wish.force_command), 0, 0,
		NULL, "they run nothing else", NULL } },
	{ 0, NULL,
	    { "quiet", field_bool, MEMBER(quiet), 0, 0, NULL,
		"leave it to the caller to tell of a failure", NULL } },
};

/*
 * A name that does not end in the suffix may be in a domain.  The
 * configuration is not read for any other: a mistake in it is no reason to let
 * go of credentials that still live.
 */
static enum sbx_err
parse_name(const struct work *work, const char *name, struct alias *ret,
    struct sbx_why *why)
{
	enum sbx_err err = name_parse_long_alias(name, work->suffix, ret, why);
	struct settings settings;

	if (err == SBX_OK ||
	    settings_read(work->paths, work->config, &settings, NULL) !=
		SBX_OK ||
	    settings_domain(&settings, name) == NULL)
		return err;
	return settings_parse_name(&settings, name, work->suffix, ret, why);
}

typedef enum sbx_err
job(const struct work *work, struct sbx_why *warning, struct sbx_why *why);

static enum sbx_err
run(job *do_it, const char *name, struct sbx_why *warning, struct sbx_why *why)
{
	struct paths paths;
	struct alias alias;
	char origin[ORIGIN_LEN];
	struct shell shell;
	struct caller caller;
	struct work work = { .paths = &paths,
		.origin = origin,
		.shell = &shell,
		.caller = &caller };
	enum sbx_err err = paths_find(&paths, why);

	shell_find(&shell);
	caller_find(getppid(), &caller);
	if (err == SBX_OK && !name_is_suffix(values.suffix))
		err = sbx_fail(why, SBX_USAGE, "--suffix '%.80s' is malformed",
		    values.suffix);
	work.cache = values.cache[0] != '\0' ? values.cache : paths.cache;
	work.config = values.config[0] != '\0' ? values.config : NULL;
	/* Before they are read: what changes meanwhile shall be noticed. */
	if (err == SBX_OK)
		origin_find(&paths, work.config, origin);
	work.suffix = values.suffix;
	work.ttl = values.ttl;
	if (wish_is_any(&values.wish)) {
		values.wish.ttl = values.ttl;
		work.wish = &values.wish;
	}
	work.quiet = values.quiet;
	work.now = (uint64_t)time(NULL);
	if (err == SBX_OK && name != NULL) {
		err = parse_name(&work, name, &alias, why);
		work.alias = &alias;
	}
	return err != SBX_OK ? err : do_it(&work, warning, why);
}

static int
run_job(int argc, char **argv, job *do_it, int min, int max)
{
	const struct usage command_usage = {
		.program = "sandbox-resolve COMMAND",
		.args = "[NAME]",
		.summary = "Options stand before the command.",
	};
	const struct operands want = { min, max, "NAME" };
	struct sbx_why warning = { "" }, why = { "" };
	enum opt_result result;
	enum sbx_err err;
	int first = 0;

	result = opt_parse(&command_usage, argc, argv, NULL, &first);
	if (result == OPT_RUN)
		result = opt_operands(&command_usage, argc, argv, first, &want);
	if (result != OPT_RUN)
		return opt_status(result);
	err = run(do_it, argc == first ? NULL : argv[first], &warning, &why);
	if (warning.text[0] != '\0')
		log_error("%s", warning.text);
	if (err == SBX_OK)
		return 0;
	return values.quiet ? sbx_err_exit(err) : log_failure(err, &why);
}

static int
run_prepare(int argc, char **argv)
{
	return run_job(argc, argv, work_prepare, 1, 1);
}

static int
run_renew(int argc, char **argv)
{
	return run_job(argc, argv, work_renew, 1, 1);
}

static int
run_wake(int argc, char **argv)
{
	return run_job(argc, argv, work_wake, 1, 1);
}

static int
run_meet(int argc, char **argv)
{
	return run_job(argc, argv, work_meet, 1, 1);
}

static int
run_forget(int argc, char **argv)
{
	return run_job(argc, argv, work_forget, 1, 1);
}

static int
run_hosts(int argc, char **argv)
{
	return run_job(argc, argv, work_hosts, 0, 0);
}

static enum sbx_err
print_health(
    const struct work *work, struct sbx_why *warning, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(HEALTH_MAX);
	struct settings settings;
	struct alias alias;
	enum sbx_err err = SBX_OK;

	(void)warning;
	/* A configuration that cannot be read is part of what is told. */
	if (work->alias != NULL &&
	    settings_read(work->paths, work->config, &settings, NULL) == SBX_OK)
		err = settings_parse_name(
		    &settings, work->alias->text, work->suffix, &alias, why);
	if (err != SBX_OK)
		return err;
	health_put(work, &text);
	if (buf_error(&text) != SBX_OK)
		return buf_error(&text);
	if (file_write_fd(STDOUT_FILENO, buf_view(&text)) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_IO, "cannot write to standard output");
}

static int
run_health(int argc, char **argv)
{
	return run_job(argc, argv, print_health, 0, 1);
}

static const struct command commands[] = {
	{ "prepare", "NAME", "get credentials for ssh", run_prepare },
	{ "renew", "NAME", "get others: its host key has changed", run_renew },
	{ "wake", "NAME", "start the sandbox if it is stopped", run_wake },
	{ "meet", "NAME", "list it, as a new sandbox", run_meet },
	{ "forget", "NAME", "remove it from the cache", run_forget },
	{ "hosts", "", "list what sandboxes there are in hosts.conf",
	    run_hosts },
	{ "health", "[NAME]", "tell sandbox-proxy doctor of the broker",
	    run_health },
};

static const struct usage usage = {
	.program = "sandbox-resolve",
	.args = "[options] COMMAND [NAME]",
	.summary = "Ask the broker for what sandbox-proxy needs.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

int
main(int argc, char **argv)
{
	log_init("sandbox-ssh");
	/* A broker that hangs up is an error to tell, not an end. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	if (sodium_init() < 0)
		return log_failure(SBX_INTERNAL, NULL);
	return opt_dispatch(&usage, argc, argv, &values);
}
