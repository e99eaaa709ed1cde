/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "net/settings.h"

#define WORDS_MAX 64
#define CANNOT_EXECUTE 126 /* as shells say it */

/* A program, and what its first descriptors are. */
struct helper {
	const char *const *argv;
	int in, out;
	bool ends_with_us;
};

static _Noreturn void
become(const struct helper *h, pid_t parent, int said)
{
	sigset_t none;
	int error;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	/* A Ctrl-C is for ssh: what is behind it ends with the connection. */
	if (setsid() >= 0 &&
	    (!h->ends_with_us ||
		(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
		    getppid() == parent)) &&
	    dup2(h->in, STDIN_FILENO) >= 0 && dup2(h->out, STDOUT_FILENO) >= 0)
		(void)execv(h->argv[0], (char *const *)h->argv);
	error = errno;
	if (write(said, &error, sizeof(error)) < 0)
		_exit(CANNOT_EXECUTE - 1);
	_exit(CANNOT_EXECUTE);
}

/* SBX_OK: it was executed. */
static enum sbx_err
start(const struct helper *h, pid_t *ret_pid, struct sbx_why *why)
{
	cleanup_close int heard = -1, said = -1;
	pid_t self = getpid(), pid;
	int ends[2], error = 0;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	heard = ends[0];
	said = ends[1];
	pid = fork();
	if (pid == 0)
		become(h, self, said);
	if (pid < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	(void)close(steal_fd(&said));
	/* Its end is closed by a successful execve(2). */
	do
		n = read(heard, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		*ret_pid = pid;
		return SBX_OK;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return sbx_fail(
	    why, SBX_PROGRAM, "cannot run %s: %s", h->argv[0], strerror(error));
}

static enum sbx_err
make_pair(int *ret_ours, int *ret_theirs, struct sbx_why *why)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return sbx_fail(why, SBX_IO,
		    "cannot make a pair of sockets: %s", strerror(errno));
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return SBX_OK;
}

/* A word of the template; "%i" stands for the id, "%%" for "%". */
static void
put_word(struct view word, const char *id, struct buf *ret)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] != '%' || i + 1 == word.len) {
			buf_put_u8(ret, word.p[i]);
			continue;
		}
		if (word.p[++i] == 'i')
			buf_put_text(ret, id);
		else if (word.p[i] == '%')
			buf_put_u8(ret, '%');
		else
			buf_fail(ret, SBX_CONFIG);
	}
	buf_put_u8(ret, '\0');
}

static enum sbx_err
make_words(const char *command, const struct endpoint *endpoint,
    struct buf *text, const char *argv[static WORDS_MAX + 1],
    struct sbx_why *why)
{
	struct view rest = VIEW_STR(command), word;
	size_t at[WORDS_MAX], count = 0;

	while (text_next_word(&rest, &word)) {
		if (count == WORDS_MAX) {
			buf_fail(text, SBX_CONFIG);
			break;
		}
		at[count++] = text->len;
		put_word(word, endpoint->id, text);
	}
	if (buf_error(text) != SBX_OK || count == 0 || command[0] != '/')
		return sbx_fail(why, SBX_CONFIG,
		    "command of [exec \"%s\"] must be an absolute path and at "
		    "most %d words, with %%i for the id and %%%% for %%",
		    endpoint->name, WORDS_MAX - 1);
	for (size_t i = 0; i < count; i++)
		argv[i] = buf_text(text) + at[i];
	argv[count] = NULL;
	return SBX_OK;
}

enum sbx_err
helper_start_command(const struct endpoint *endpoint,
    const struct dial_setup *setup, pid_t *ret_pid, int *ret_fd,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(4 * FIELD_TEXT);
	cleanup_close int ours = -1, theirs = -1;
	const char *argv[WORDS_MAX + 1], *command;
	struct settings settings;
	struct helper helper = { .argv = argv };
	enum sbx_err err =
	    settings_read(setup->paths, setup->config, &settings, why);

	if (err != SBX_OK)
		return err;
	command = settings_exec(&settings, endpoint->name);
	if (command == NULL)
		return sbx_fail(why, SBX_CONFIG,
		    "endpoint %s needs a command: put \"[exec \"%s\"]\" and "
		    "\"command = ...\" into the configuration",
		    endpoint->text, endpoint->name);
	err = make_words(command, endpoint, &text, argv, why);
	if (err == SBX_OK)
		err = make_pair(&ours, &theirs, why);
	if (err != SBX_OK)
		return err;
	helper.in = theirs;
	helper.out = theirs;
	err = start(&helper, ret_pid, why);
	if (err == SBX_OK)
		*ret_fd = steal_fd(&ours);
	return err;
}

enum sbx_err
helper_start_relay(const struct endpoint *endpoint,
    const struct dial_setup *setup, pid_t *ret_pid, int *ret_fd,
    int *ret_status, struct sbx_why *why)
{
	cleanup_close int ours = -1, theirs = -1, heard = -1, said = -1;
	const char *argv[7] = { setup->relay };
	size_t count = 1;
	struct helper helper = { .argv = argv, .ends_with_us = true };
	enum sbx_err err = make_pair(&ours, &theirs, why);
	int ends[2];

	if (setup->config != NULL) {
		argv[count++] = "--config";
		argv[count++] = setup->config;
	}
	if (setup->name != NULL) {
		argv[count++] = "--name";
		argv[count++] = setup->name;
	}
	argv[count] = endpoint->text;
	if (err == SBX_OK && pipe2(ends, O_CLOEXEC) < 0)
		err = sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	if (err != SBX_OK)
		return err;
	heard = ends[0];
	said = ends[1];
	helper.in = theirs;
	helper.out = said;
	err = start(&helper, ret_pid, why);
	if (err != SBX_OK)
		return err;
	*ret_fd = steal_fd(&ours);
	*ret_status = steal_fd(&heard);
	return SBX_OK;
}

/* "STATUS text\n", as sandbox-relay writes it at once. */
enum sbx_err
helper_relay_ready(int status, struct sbx_why *why)
{
	char line[SBX_WHY_MAX + 16], name[32];
	struct view rest = VIEW(line, 0), word;
	enum sbx_err err;
	ssize_t n;

	do
		n = read(status, line, sizeof(line));
	while (n < 0 && errno == EINTR);
	rest.len = n > 0 ? (size_t)n : 0;
	if (rest.len == 0 || rest.p[rest.len - 1] != '\n' ||
	    !text_next_word(&rest, &word) ||
	    text_copy(word, name, sizeof(name)) != SBX_OK ||
	    !sbx_err_find(name, &err))
		return sbx_fail(
		    why, SBX_UNAVAILABLE, "sandbox-relay ended without a word");
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, err, "%.*s", rest.len > 1 ? (int)rest.len - 2 : 0,
	    (const char *)rest.p + 1);
}
