/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/inside.h"
#include "ctl/sshline.h"
#include "ctl/words.h"

struct values {
	bool print;
};

static const struct opt options[] = {
	{ 0, NULL,
	    { "print", field_bool, offsetof(struct values, print), 0, 0, NULL,
		"print the ssh command line instead of running it", NULL } },
};

static const struct usage usage = {
	.program = "sandboxctl exec",
	.args = "[options] ID COMMAND...",
	.summary = "Run a command in a sandbox's workspace; the options of "
		   "ssh(1) are taken as well.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

static int
go(const char *name, const struct words *words, bool print)
{
	cleanup_buf struct buf line = BUF_INIT(INSIDE_MAX);
	cleanup_free const char **command =
	    calloc((size_t)words->ssh_count + 6, sizeof(*command));
	size_t count = 0;

	inside_exec(words->command, &line);
	if (command == NULL || buf_error(&line) != SBX_OK)
		return ctl_failure(SBX_NOMEM, NULL);
	command[count++] = "ssh";
	/* -T of the user's comes later and wins. */
	if (isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0)
		command[count++] = "-t";
	for (int i = 0; i < words->ssh_count; i++)
		command[count++] = words->ssh[i];
	command[count++] = name;
	command[count++] = "--";
	command[count++] = buf_text(&line);
	return print ? sshline_print(command) : sshline_become(command);
}

int
ctl_exec(int argc, char **argv)
{
	cleanup_words struct words words = { 0 };
	struct values values = { false };
	struct sbx_why why = { "" };
	struct paths paths;
	char name[NAME_ALIAS_MAX + 1];
	int first = 0, status = 0;
	enum sbx_err err = words_split(&usage, &words_ssh, argc, argv, &words);
	enum opt_result result;

	if (err != SBX_OK)
		return ctl_failure(err, NULL);
	result = opt_parse(&usage, words.own_count, words.own, &values, &first);
	if (result == OPT_RUN)
		result = words_check(&usage, &words);
	if (result == OPT_RUN && words.name == NULL)
		result = opt_operands(
		    &usage, 0, NULL, 0, &(struct operands){ 2, 2, "ID" });
	else if (result == OPT_RUN && *words.command == NULL)
		result = opt_operands(
		    &usage, 0, NULL, 0, &(struct operands){ 1, 1, "COMMAND" });
	if (result != OPT_RUN)
		return opt_status(result);
	err = sshline_name(words.name, name, &why);
	if (err == SBX_OK)
		err = paths_find(&paths, &why);
	if (err == SBX_OK)
		err = sshline_prepare(&paths, name, /* ttl= */ 0, words.config,
		    words.config_count, &status, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	return status != 0 ? status : go(name, &words, values.print);
}
