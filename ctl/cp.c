/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "ctl/ctl.h"
#include "ctl/sshline.h"
#include "ctl/words.h"

struct values {
	bool print;
};

static const struct opt options[] = {
	{ 0, NULL,
	    { "print", field_bool, offsetof(struct values, print), 0, 0, NULL,
		"print the scp command line instead of running it", NULL } },
};

static const struct usage usage = {
	.program = "sandboxctl cp",
	.args = "[options] SOURCE... TARGET",
	.summary = "Copy files into a sandbox or out of it, which are called "
		   "ID:PATH; the options of scp(1) are taken as well.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

/*
 * What scp calls it, to be freed; name: "", or the sandbox's, where it is in
 * one.  As with scp, a slash before the colon makes it a file of ours.
 */
static char *
translate(const char *operand, char ret_name[static NAME_ALIAS_MAX + 1])
{
	size_t len = strcspn(operand, ":/");
	char id[NAME_ALIAS_MAX + 1], *text = NULL;

	*ret_name = '\0';
	if (operand[len] == ':' && len > 0 && len < sizeof(id)) {
		memcpy(id, operand, len);
		id[len] = '\0';
		if (sshline_name(id, ret_name, NULL) != SBX_OK)
			*ret_name = '\0';
	}
	if (*ret_name == '\0')
		return strdup(operand);
	if (asprintf(&text, "%s%s", ret_name, operand + len) < 0)
		return NULL;
	return text;
}

/* One operand, once there are credentials for its sandbox. */
static enum sbx_err
add(const struct paths *paths, const struct words *words, const char *operand,
    const char **ret, bool *ret_inside, int *ret_status, struct sbx_why *why)
{
	char name[NAME_ALIAS_MAX + 1];

	*ret = translate(operand, name);
	if (*ret == NULL)
		return SBX_NOMEM;
	if (*name == '\0')
		return SBX_OK;
	*ret_inside = true;
	return sshline_prepare(paths, name, /* ttl= */ 0, words->config,
	    words->config_count, ret_status, why);
}

static enum sbx_err
fill(const struct words *words, const char **command, int *ret_status,
    struct sbx_why *why)
{
	char *const *operand = words->command;
	bool inside = false;
	struct paths paths;
	size_t count = 0;
	enum sbx_err err = paths_find(&paths, why);

	command[count++] = "scp";
	for (int i = 0; i < words->ssh_count; i++)
		command[count++] = words->ssh[i];
	command[count++] = "--";
	if (err == SBX_OK)
		err = add(&paths, words, words->name, &command[count++],
		    &inside, ret_status, why);
	for (; err == SBX_OK && *ret_status == 0 && *operand != NULL; operand++)
		err = add(&paths, words, *operand, &command[count++], &inside,
		    ret_status, why);
	if (err == SBX_OK && *ret_status == 0 && !inside)
		return sbx_fail(
		    why, SBX_USAGE, "none of them is in a sandbox: ID:PATH is");
	return err;
}

int
ctl_cp(int argc, char **argv)
{
	cleanup_words struct words words = { 0 };
	cleanup_free const char **command =
	    calloc((size_t)argc + 4, sizeof(*command));
	struct values values = { false };
	struct sbx_why why = { "" };
	int first = 0, status = 0;
	enum sbx_err err = words_split(&usage, &words_scp, argc, argv, &words);
	enum opt_result result;

	if (err != SBX_OK || command == NULL)
		return ctl_failure(SBX_NOMEM, NULL);
	result = opt_parse(&usage, words.own_count, words.own, &values, &first);
	if (result == OPT_RUN)
		result = words_check(&usage, &words);
	if (result == OPT_RUN && words.name == NULL)
		result = opt_operands(
		    &usage, 0, NULL, 0, &(struct operands){ 2, 2, "SOURCE" });
	else if (result == OPT_RUN && *words.command == NULL)
		result = opt_operands(
		    &usage, 0, NULL, 0, &(struct operands){ 1, 1, "TARGET" });
	if (result != OPT_RUN)
		return opt_status(result);
	err = fill(&words, command, &status, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	if (status != 0)
		return status;
	return values.print ? sshline_print(command) : sshline_become(command);
}
