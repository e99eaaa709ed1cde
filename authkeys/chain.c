/* SPDX-License-Identifier: ISC */
#include "authkeys/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authkeys/limits.h"
#include "authkeys/safepath.h"
#include "common/cleanup.h"
#include "common/field.h"
#include "common/text.h"

#define PATH_SETTING "PATH=/usr/bin:/bin:/usr/sbin:/sbin"
#define MILLISECONDS 1000

/* All words, each with a NUL: the command's own text and the key. */
#define WORDS_MAX (256 * 1024)

/* As sshd's; PATH is not theirs to choose. */
static const char *const passed[] = { "USER=", "LOGNAME=", "HOME=", "LANG=" };

#define PASSED (sizeof(passed) / sizeof(passed[0]))

struct words {
	struct buf text;
	size_t count;
	size_t offset[CHAIN_WORDS_MAX];
	char *argv[CHAIN_WORDS_MAX + 1];
};

static void
free_words(struct words *words)
{
	buf_free(&words->text);
}

#define cleanup_words __attribute__((cleanup(free_words)))

static const char *
value_of(char token, const struct chain_values *values)
{
	switch (token) {
	case 'u':
		return values->user;
	case 't':
		return values->type;
	case 'k':
		return values->key;
	case '%':
		return "%";
	default:
		return NULL;
	}
}

static enum sbx_err
put_word(struct view word, const struct chain_values *values, struct buf *ret,
    struct sbx_why *why)
{
	for (size_t i = 0; i < word.len; i++) {
		const char *value;

		if (word.p[i] != '%') {
			buf_put_u8(ret, word.p[i]);
			continue;
		}
		i++;
		value = i < word.len ? value_of((char)word.p[i], values) : NULL;
		if (value == NULL)
			return sbx_fail(why, SBX_CONFIG,
			    "then: '%.*s': the tokens are %%u, %%t, %%k and "
			    "%%%%",
			    (int)word.len, (const char *)word.p);
		buf_put_text(ret, value);
	}
	buf_put_u8(ret, '\0');
	return SBX_OK;
}

static enum sbx_err
split(const char *command, const struct chain_values *values, struct words *ret,
    struct sbx_why *why)
{
	struct view rest = VIEW_STR(command), word;
	enum sbx_err err = SBX_OK;

	ret->text = BUF_INIT(WORDS_MAX);
	ret->count = 0;
	while (err == SBX_OK && text_next_word(&rest, &word)) {
		if (ret->count == CHAIN_WORDS_MAX)
			return sbx_fail(why, SBX_CONFIG,
			    "then has more than %d words", CHAIN_WORDS_MAX);
		if (ret->count == 0 &&
		    (word.p[0] != '/' || memchr(word.p, '%', word.len) != NULL))
			return sbx_fail(why, SBX_CONFIG,
			    "then = '%.80s' does not start with the absolute "
			    "path of a program",
			    command);
		ret->offset[ret->count++] = ret->text.len;
		err = put_word(word, values, &ret->text, why);
	}
	if (err == SBX_OK)
		err = buf_error(&ret->text);
	if (err == SBX_OK && ret->count == 0)
		return sbx_fail(why, SBX_CONFIG, "then is empty");
	for (size_t i = 0; err == SBX_OK && i < ret->count; i++)
		ret->argv[i] = (char *)ret->text.p + ret->offset[i];
	ret->argv[ret->count] = NULL;
	return err;
}

enum sbx_err
chain_check(const char *command, struct sbx_why *why)
{
	static const struct chain_values none = { "", "", "" };
	cleanup_words struct words words;

	return split(command, &none, &words, why);
}

/* Runs in the child, where there is nobody to tell of a failure. */
static _Noreturn void
become(const char *program, char *const *argv, char *const *environment,
    int output, pid_t parent)
{
	char *env[PASSED + 2] = { (char *)PATH_SETTING };
	size_t count = 1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < PASSED; i++) {
		for (char *const *e = environment; *e != NULL; e++) {
			if (strncmp(*e, passed[i], strlen(passed[i])) == 0) {
				env[count++] = *e;
				break;
			}
		}
	}
	/* If we are killed outright, so is it. */
	if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	    getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0 &&
	    dup2(output, STDOUT_FILENO) >= 0 && limits_lift() == SBX_OK) {
		closefrom(STDERR_FILENO + 1);
		(void)execve(program, argv, env);
	}
	_exit(127);
}

/* Signals that end the wait; they are let in only while waiting. */
static volatile sig_atomic_t told_to_end;

static void
on_signal(int number)
{
	if (number != SIGCHLD)
		told_to_end = 1;
}

static const int caught[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };

#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

struct signals {
	sigset_t outside;
	struct sigaction action[CAUGHT];
};

static void
catch_signals(struct signals *ret_before)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	told_to_end = 0;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < CAUGHT; i++)
		(void)sigaddset(&set, caught[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &ret_before->outside);
	for (size_t i = 0; i < CAUGHT; i++)
		(void)sigaction(caught[i], &action, &ret_before->action[i]);
}

static void
restore_signals(const struct signals *before)
{
	for (size_t i = 0; i < CAUGHT; i++)
		(void)sigaction(caught[i], &before->action[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &before->outside, NULL);
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MILLISECONDS + now.tv_nsec / 1000000;
}

struct child {
	pid_t pid;
	int output; /* -1 after its end */
	bool ended; /* but kept: its number must not become another's */
	int64_t deadline;
	struct signals signals; /* as they were before */
};

/* Sleep until there is output, an end, a signal, or no time left. */
static enum sbx_err
wait_child(struct child *child, const char *program, struct sbx_why *why)
{
	struct pollfd fd = { child->output, POLLIN, 0 };
	int64_t left = child->deadline - clock_ms();
	struct timespec timeout = { left / MILLISECONDS,
		left % MILLISECONDS * 1000000 };
	siginfo_t info;

	if (left > 0 && ppoll(&fd, 1, &timeout, &child->signals.outside) < 0 &&
	    errno != EINTR)
		return SBX_INTERNAL;
	if (told_to_end)
		return sbx_fail(
		    why, SBX_TIMEOUT, "sshd ended it while %s ran", program);
	if (left <= 0)
		return sbx_fail(why, SBX_TIMEOUT,
		    "%s did not end within then_timeout", program);
	info.si_pid = 0;
	if (!child->ended &&
	    waitid(P_PID, (id_t)child->pid, &info,
		WEXITED | WNOHANG | WNOWAIT) == 0)
		child->ended = info.si_pid == child->pid;
	return SBX_OK;
}

/* What is there now. */
static enum sbx_err
read_output(struct child *child, struct buf *ret)
{
	char chunk[4096];
	ssize_t n;

	do {
		n = read(child->output, chunk, sizeof(chunk));
		if (n > 0)
			buf_put(ret, chunk, (size_t)n);
	} while (n > 0 && buf_error(ret) == SBX_OK);
	if (n > 0)
		return buf_error(ret);
	if (n == 0)
		(void)close(steal_fd(&child->output));
	else if (errno != EAGAIN && errno != EINTR)
		return SBX_IO;
	return SBX_OK;
}

static enum sbx_err
collect(struct child *child, const char *program, struct buf *ret,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	while (err == SBX_OK && !(child->ended && child->output < 0)) {
		err = wait_child(child, program, why);
		if (err == SBX_OK && child->output >= 0)
			err = read_output(child, ret);
	}
	if (err == SBX_TOO_LARGE)
		return sbx_fail(why, err, "%s printed more than %d bytes",
		    program, CHAIN_OUTPUT_MAX);
	return err;
}

/*
 * Whatever is left of its process group ends too: nothing that it started
 * and left behind may hold up sshd.
 */
static int
end(struct child *child)
{
	int status = -1;

	cleanup_close_fn(&child->output);
	if (child->pid <= 0)
		return status;
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static enum sbx_err
judge(int status, const char *program, struct sbx_why *why)
{
	if (WIFSIGNALED(status))
		return sbx_fail(why, SBX_THEN, "%s was killed by signal %d",
		    program, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return sbx_fail(why, SBX_THEN, "%s ended with status %d",
		    program, WEXITSTATUS(status));
	return SBX_OK;
}

static enum sbx_err
start(const char *program, char *const *argv, char *const *environment,
    struct child *ret, struct sbx_why *why)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	ret->output = ends[0];
	ret->pid = fork();
	if (ret->pid == 0) {
		restore_signals(&ret->signals);
		become(program, argv, environment, ends[1], parent);
	}
	(void)close(ends[1]);
	if (ret->pid < 0)
		return sbx_fail(why, SBX_IO, "cannot start %s: %s", program,
		    strerror(errno));
	/* Both do it, so that it has happened whoever comes first. */
	(void)setpgid(ret->pid, ret->pid);
	if (fcntl(ret->output, F_SETFL, O_NONBLOCK) < 0)
		return SBX_IO;
	return SBX_OK;
}

enum sbx_err
chain_run(const char *command, const struct chain_values *values,
    uint64_t timeout, char *const *environment, struct buf *ret,
    struct sbx_why *why)
{
	cleanup_words struct words words;
	struct child child = { .pid = -1, .output = -1 };
	char program[PATH_MAX];
	int status;
	enum sbx_err err = split(command, values, &words, why);

	if (err == SBX_OK)
		err = safepath_program(words.argv[0], program, why);
	if (err != SBX_OK)
		return err;
	*ret = BUF_INIT(CHAIN_OUTPUT_MAX);
	child.deadline = clock_ms() + (int64_t)timeout * MILLISECONDS;
	catch_signals(&child.signals);
	err = start(program, words.argv, environment, &child, why);
	if (err == SBX_OK)
		err = collect(&child, program, ret, why);
	status = end(&child);
	restore_signals(&child.signals);
	return err != SBX_OK ? err : judge(status, program, why);
}
