/* SPDX-License-Identifier: ISC */
#include "ctl/resolve.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"
#include "ctl/ctl.h"
#include "net/spawn.h"

#define RUN_SECONDS 180 /* for a request, and a sandboxd to start first */
#define SAYS_MAX 1024	/* it has nothing to say on standard output */

enum sbx_err
resolve_run(const struct paths *paths, const struct resolve_options *options,
    const char *verb, const char *name, int *ret_status, struct sbx_why *why)
{
	cleanup_buf struct buf says = BUF_INIT(SAYS_MAX);
	char program[PATHS_MAX];
	const char *argv[RESOLVE_WORDS + 8] = { program };
	struct spawn spawn = { argv, STDOUT_FILENO, false, NULL, RUN_SECONDS };
	int argc = 1, status = 0;
	enum sbx_err err =
	    paths_join(paths->libexec, "sandbox-resolve", program);

	if (options->cache != NULL) {
		argv[argc++] = "--cache";
		argv[argc++] = options->cache;
	}
	if (ctl_globals.config[0] != '\0') {
		argv[argc++] = "--config";
		argv[argc++] = ctl_globals.config;
	}
	for (int i = 0; i < options->count; i++)
		argv[argc++] = options->word[i];
	argv[argc++] = verb;
	argv[argc] = name;
	if (err == SBX_OK)
		err = spawn_run(&spawn, &status, &says, why);
	if (err != SBX_OK)
		return err;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == SPAWN_FAILED)
		return sbx_fail(why, SBX_PROGRAM,
		    "cannot run %s: is sandbox-ssh installed completely?",
		    program);
	*ret_status = WEXITSTATUS(status);
	return SBX_OK;
}

enum sbx_err
resolve_prepare(const struct paths *paths, const char *name, uint64_t ttl,
    int *ret_status, struct sbx_why *why)
{
	char text[TEXT_DURATION_LEN];
	const struct resolve_options options = { .count = ttl == 0 ? 0 : 2,
		.word = { "--ttl", text } };

	text_put_duration(ttl, text);
	return resolve_run(paths, &options, "prepare", name, ret_status, why);
}

void
resolve_note(const struct paths *paths, const struct alias *alias, bool there)
{
	const char *verb = there ? "meet" : "forget";
	static const struct resolve_options none;
	char plain[sizeof(alias->text)];
	int status;

	/* Whose provider was named is known without it, too. */
	if (*alias->provider != '\0') {
		(void)snprintf(plain, sizeof(plain), "%s%s", alias->id,
		    alias->text + strlen(alias->id) + 1 +
			strlen(alias->provider));
		if (resolve_run(paths, &none, verb, plain, &status, NULL) !=
		    SBX_OK)
			return;
		verb = "forget";
	}
	if (resolve_run(paths, &none, verb, alias->text, &status, NULL) !=
	    SBX_OK)
		return;
}
