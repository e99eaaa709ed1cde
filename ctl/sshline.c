/* SPDX-License-Identifier: ISC */
#include "ctl/sshline.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/resolve.h"
#include "net/spawn.h"

#define CONFIG_MAX 65536
#define LINE_CAP (4 * 1024 * 1024) /* more than a command line may have */
#define SSH_G_SECONDS 60
#define SAFE                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" \
	"%+,-./:=@_"

enum sbx_err
sshline_name(
    const char *text, char ret[static NAME_ALIAS_MAX + 1], struct sbx_why *why)
{
	enum sbx_err err = ctl_check_name(text, why);

	(void)snprintf(ret, NAME_ALIAS_MAX + 1, "%s%s", text,
	    strchr(text, '.') == NULL ? "." NAME_SUFFIX_DEFAULT : "");
	return err;
}

enum sbx_err
sshline_check(const char *name, char *const *config_words, int config_count,
    struct sbx_why *why)
{
	cleanup_buf struct buf config = BUF_INIT(CONFIG_MAX);
	cleanup_free const char **argv =
	    calloc((size_t)config_count + 5, sizeof(*argv));
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
	for (int i = 0; i < config_count; i++)
		argv[argc++] = config_words[i];
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

enum sbx_err
sshline_prepare(const struct paths *paths, const char *name, uint64_t ttl,
    char *const *config, int count, int *ret_status, struct sbx_why *why)
{
	enum sbx_err err = resolve_prepare(paths, name, ttl, ret_status, why);

	return err != SBX_OK || *ret_status != 0
	    ? err
	    : sshline_check(name, config, count, why);
}

void
sshline_quote(const char *word, struct buf *ret)
{
	if (*word != '\0' && word[strspn(word, SAFE)] == '\0') {
		buf_put_text(ret, word);
		return;
	}
	buf_put_text(ret, "'");
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'')
			buf_put_text(ret, "'\\''");
		else
			buf_put_u8(ret, (uint8_t)*c);
	}
	buf_put_text(ret, "'");
}

void
sshline_put(const char *const argv[], struct buf *ret)
{
	for (size_t i = 0; argv[i] != NULL; i++) {
		if (i > 0)
			buf_put_text(ret, " ");
		sshline_quote(argv[i], ret);
	}
}

int
sshline_print(const char *const argv[])
{
	cleanup_buf struct buf line = BUF_INIT(LINE_CAP);

	sshline_put(argv, &line);
	if (buf_error(&line) != SBX_OK)
		return ctl_failure(buf_error(&line), NULL);
	(void)puts(buf_text(&line));
	return opt_flush();
}

int
sshline_become(const char *const argv[])
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(argv[0], (char *const *)argv);
	log_error(
	    "cannot run %s: %s: is it installed?", argv[0], strerror(errno));
	return EX_UNAVAILABLE;
}
