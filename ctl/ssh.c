/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/name.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/limited.h"
#include "ctl/resolve.h"
#include "ctl/sshline.h"
#include "ctl/words.h"

struct values {
	struct limits_wanted limits;
	bool print;
};

#define WANTED(m) offsetof(struct values, limits.m)

static const struct opt options[] = {
	{ 0, "DURATION",
	    { "ttl", field_minutes, WANTED(ttl), 1, LIMITS_TTL_MAX, NULL,
		"get a new certificate that lives so long, a number alone "
		"being minutes",
		NULL } },
	{ 0, "WORDS",
	    { "permit", field_text, WANTED(permit), 0, 0, NULL,
		"what this login may do, or none", NULL } },
	{ 0, NULL,
	    { "single-use", field_bool, WANTED(single_use), 0, 0, NULL,
		"its certificate is good for one connection", NULL } },
	{ 0, "CIDR,...",
	    { "source-address", field_text, WANTED(source_address), 0, 0, NULL,
		"its certificate is good from there", NULL } },
	{ 0, "COMMAND",
	    { "force-command", field_text, WANTED(force_command), 0, 0, NULL,
		"the only command that is run", NULL } },
	{ 0, NULL,
	    { "print", field_bool, offsetof(struct values, print), 0, 0, NULL,
		"print the ssh command line instead of running it", NULL } },
};

static const struct usage usage = {
	.program = "sandboxctl ssh",
	.args = "[options] ID [COMMAND...]",
	.summary = "Run ssh in a sandbox, with credentials that were made sure "
		   "of; the options of ssh(1) are taken as well.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

/* Become ssh with what is left of the command line, or print it. */
static int
go(const char *name, const char *config, const struct words *words, int argc,
    bool print)
{
	cleanup_free const char **command =
	    calloc((size_t)argc + 6, sizeof(*command));
	size_t count = 0;

	if (command == NULL)
		return ctl_failure(SBX_NOMEM, NULL);
	command[count++] = "ssh";
	if (*config != '\0') {
		command[count++] = "-F";
		command[count++] = config;
	}
	for (int i = 0; i < words->ssh_count; i++)
		command[count++] = words->ssh[i];
	command[count++] = name;
	if (*words->command != NULL)
		command[count++] = "--";
	for (char **word = words->command; *word != NULL; word++)
		command[count++] = *word;
	return print ? sshline_print(command) : sshline_become(command);
}

/* ssh's own configuration is not read: it would add other credentials. */
static enum sbx_err
check_limits(
    const struct values *values, const struct words *words, struct sbx_why *why)
{
	if (values->print)
		return sbx_fail(why, SBX_USAGE,
		    "--print shows nothing that lasts: credentials with limits "
		    "go with the ssh that they are for");
	for (int i = 0; i < words->config_count; i++) {
		if (strncmp(words->config[i], "-F", 2) == 0)
			return sbx_fail(why, SBX_USAGE,
			    "-F and credentials with limits exclude each "
			    "other: give settings with -o");
	}
	return SBX_OK;
}

static int
run_limited(const struct paths *paths, const char *name,
    const struct values *values, const struct words *words, int argc)
{
	cleanup_limited struct limited limited = { "", "" };
	struct sbx_why why = { "" };
	int status = 0;
	enum sbx_err err = check_limits(values, words, &why);

	if (err == SBX_OK)
		err = limited_make(
		    paths, name, &values->limits, &limited, &status, &why);
	if (err == SBX_OK && status == 0)
		err = limited_end_with_us(&limited, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	return status != 0
	    ? status
	    : go(name, limited.config, words, argc, /* print= */ false);
}

static int
run_usual(const struct paths *paths, const char *name,
    const struct values *values, const struct words *words, int argc)
{
	struct sbx_why why = { "" };
	int status = 0;
	enum sbx_err err = sshline_prepare(paths, name, values->limits.ttl,
	    words->config, words->config_count, &status, &why);

	if (err != SBX_OK)
		return ctl_failure(err, &why);
	return status != 0 ? status : go(name, "", words, argc, values->print);
}

int
ctl_ssh(int argc, char **argv)
{
	cleanup_words struct words words = { 0 };
	struct values values = { .print = false };
	struct sbx_why why = { "" };
	struct paths paths;
	char name[NAME_ALIAS_MAX + 1];
	int first = 0;
	enum sbx_err err = words_split(&usage, &words_ssh, argc, argv, &words);
	enum opt_result result;

	if (err != SBX_OK)
		return ctl_failure(err, NULL);
	result = opt_parse(&usage, words.own_count, words.own, &values, &first);
	if (result == OPT_RUN)
		result = words_check(&usage, &words);
	if (result == OPT_RUN && words.name == NULL)
		result = opt_operands(
		    &usage, 0, NULL, 0, &(struct operands){ 1, 1, "ID" });
	if (result != OPT_RUN)
		return opt_status(result);
	err = sshline_name(words.name, name, &why);
	if (err == SBX_OK)
		err = paths_find(&paths, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	return limited_is_wanted(&values.limits)
	    ? run_limited(&paths, name, &values, &words, argc)
	    : run_usual(&paths, name, &values, &words, argc);
}
