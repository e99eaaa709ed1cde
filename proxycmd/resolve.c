/*
 * sandbox-resolve: asks the broker, writes the cache.  Run by sandbox-proxy
 * when the cache is not enough, so its messages bear the name that the
 * person who typed "ssh" knows.
 */
#include <signal.h>
#include <sodium.h>
#include <sys/stat.h>
#include <time.h>

#include "common/log.h"
#include "common/opt.h"
#include "proxycmd/resolve_work.h"

struct values {
	char cache[FIELD_TEXT];
	char config[FIELD_TEXT];
	char suffix[FIELD_TEXT];
	uint64_t ttl;
	bool quiet;
};

static struct values values;

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
	    { "ttl", field_duration, MEMBER(ttl), 1, 24 * 3600, NULL,
		"new credentials that live so long", NULL } },
	{ 0, NULL,
	    { "quiet", field_bool, MEMBER(quiet), 0, 0, NULL,
		"leave it to the caller to tell of a failure", NULL } },
};

typedef enum sbx_err
job(const struct work *work, struct sbx_why *warning, struct sbx_why *why);

static enum sbx_err
run(job *do_it, const char *name, struct sbx_why *warning, struct sbx_why *why)
{
	struct paths paths;
	struct alias alias;
	struct work work = { .paths = &paths, .alias = &alias };
	enum sbx_err err = paths_find(&paths, why);

	if (err == SBX_OK && !name_is_suffix(values.suffix))
		err = sbx_fail(why, SBX_USAGE, "--suffix '%.80s' is malformed",
		    values.suffix);
	if (err == SBX_OK)
		err = name_parse_alias(name, values.suffix, &alias, why);
	if (err != SBX_OK)
		return err;
	work.cache = values.cache[0] != '\0' ? values.cache : paths.cache;
	work.config = values.config[0] != '\0' ? values.config : NULL;
	work.ttl = values.ttl;
	work.now = (uint64_t)time(NULL);
	return do_it(&work, warning, why);
}

static int
run_job(int argc, char **argv, job *do_it)
{
	const struct usage command_usage = {
		.program = "sandbox-resolve COMMAND",
		.args = "NAME",
		.summary = "Options stand before the command.",
	};
	struct sbx_why warning = { "" }, why = { "" };
	enum sbx_err err;
	int first = 0;

	switch (opt_parse(&command_usage, argc, argv, NULL, &first)) {
	case OPT_DONE:
		return 0;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (argc - first != 1) {
		log_error(
		    "%s takes one name: see sandbox-resolve --help", argv[0]);
		return EX_USAGE;
	}
	err = run(do_it, argv[first], &warning, &why);
	if (warning.text[0] != '\0')
		log_error("%s", warning.text);
	if (err == SBX_OK)
		return 0;
	return values.quiet ? sbx_err_exit(err) : log_failure(err, &why);
}

static int
run_prepare(int argc, char **argv)
{
	return run_job(argc, argv, work_prepare);
}

static int
run_wake(int argc, char **argv)
{
	return run_job(argc, argv, work_wake);
}

static int
run_forget(int argc, char **argv)
{
	return run_job(argc, argv, work_forget);
}

static const struct command commands[] = {
	{ "prepare", "NAME", "get credentials for ssh", run_prepare },
	{ "wake", "NAME", "start the sandbox if it is stopped", run_wake },
	{ "forget", "NAME", "remove it from the cache", run_forget },
};

static const struct usage usage = {
	.program = "sandbox-resolve",
	.args = "[options] COMMAND NAME",
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
