/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/name.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/limited.h"
#include "ctl/resolve.h"
#include "ctl/words.h"
#include "net/spawn.h"

#define CONFIG_MAX 65536
#define SSH_G_SECONDS 60
#define SAFE                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" \
	"%+,-./:=@_"

struct values {
	struct limits_wanted limits;
	bool print;
};

#define WANTED(m) offsetof(struct values, limits.m)

static const struct opt options[] = {
	{ 0, "DURATION",
	    { "ttl", field_minutes, WANTED(ttl), 1, LIMITS_TTL_MAX, NULL,
		"get a new certificate that lives so long, a number alone "
		"being "
		"minutes",
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

/* What ssh calls it.  Whether it knows that name sandbox-resolve will say. */
static enum sbx_err
take_name(
    const char *text, char ret[static NAME_ALIAS_MAX + 1], struct sbx_why *why)
{
	enum sbx_err err = ctl_check_name(text, why);

	(void)snprintf(ret, NAME_ALIAS_MAX + 1, "%s%s", text,
	    strchr(text, '.') == NULL ? "." NAME_SUFFIX_DEFAULT : "");
	return err;
}

/* Would ssh go through sandbox-proxy? */
static enum sbx_err
check_snippet(const char *name, const struct words *words, struct sbx_why *why)
{
	cleanup_buf struct buf config = BUF_INIT(CONFIG_MAX);
	cleanup_free const char **argv =
	    calloc((size_t)words->config_count + 5, sizeof(*argv));
	struct spawn spawn = { argv, STDOUT_FILENO, false, NULL,
		SSH_G_SECONDS };
	struct view rest, line;
	int status = 0, argc = 0;
	enum sbx_err err;

	if (argv == NULL)
		return SBX_NOMEM;
	argv[argc++] = "ssh";
	argv[argc++] = "-G";
	argv[argc++] = "-T";
	for (int i = 0; i < words->config_count; i++)
		argv[argc++] = words->config[i];
	argv[argc] = name;
	err = spawn_run(&spawn, &status, &config, why);
	if (err != SBX_OK)
		return err;
	if (WIFEXITED(status) && WEXITSTATUS(status) == SPAWN_FAILED)
		return sbx_fail(
		    why, SBX_PROGRAM, "cannot run ssh: is OpenSSH installed?");
	if (status != 0)
		return sbx_fail(why, SBX_CONFIG,
		    "ssh -G %s failed: is its configuration right?", name);
	rest = buf_view(&config);
	while (text_next_line(&rest, &line)) {
		/* In which case is up to the release, as with sshd -T. */
		if (line.len > 12 &&
		    strncasecmp((const char *)line.p, "proxycommand", 12) ==
			0 &&
		    memmem(line.p, line.len, "sandbox-proxy", 13) != NULL)
			return SBX_OK;
	}
	if (name_has_suffix(name, NAME_SUFFIX_DEFAULT))
		return sbx_fail(why, SBX_CONFIG,
		    "ssh does not know how to reach %s: run sandbox-proxy "
		    "setup",
		    name);
	return sbx_fail(why, SBX_CONFIG,
	    "ssh does not know how to reach %s: put what 'sandbox-proxy "
	    "--suffix %s print-config' prints into your ssh_config",
	    name, name + strcspn(name, ".") + 1);
}

/* One word as a POSIX shell reads it back. */
static void
print_word(const char *word)
{
	if (*word != '\0' && word[strspn(word, SAFE)] == '\0') {
		(void)fputs(word, stdout);
		return;
	}
	(void)putchar('\'');
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'')
			(void)fputs("'\\''", stdout);
		else
			(void)putchar(*c);
	}
	(void)putchar('\'');
}

static int
print_command(const char *const argv[])
{
	for (size_t i = 0; argv[i] != NULL; i++) {
		if (i > 0)
			(void)putchar(' ');
		print_word(argv[i]);
	}
	(void)putchar('\n');
	return opt_flush();
}

static int
run_ssh(const char *const argv[])
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(argv[0], (char *const *)argv);
	log_error("cannot run ssh: %s", strerror(errno));
	return EX_UNAVAILABLE;
}

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
	return print ? print_command(command) : run_ssh(command);
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
	/* An error is told here, and ssh finds a life that it never asks for.
	 */
	enum sbx_err err =
	    resolve_prepare(paths, name, values->limits.ttl, &status, &why);

	if (err == SBX_OK && status == 0)
		err = check_snippet(name, words, &why);
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
	enum sbx_err err = words_split(&usage, argc, argv, &words);
	enum opt_result result;

	if (err != SBX_OK)
		return ctl_failure(err, NULL);
	result = opt_parse(&usage, words.own_count, words.own, &values, &first);
	if (result == OPT_RUN && words.name == NULL)
		result = opt_operands(
		    &usage, 0, NULL, 0, &(struct operands){ 1, 1, "ID" });
	if (result != OPT_RUN)
		return opt_status(result);
	err = take_name(words.name, name, &why);
	if (err == SBX_OK)
		err = paths_find(&paths, &why);
	if (err != SBX_OK)
		return ctl_failure(err, &why);
	return limited_is_wanted(&values.limits)
	    ? run_limited(&paths, name, &values, &words, argc)
	    : run_usual(&paths, name, &values, &words, argc);
}
