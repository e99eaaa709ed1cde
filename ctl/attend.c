/* SPDX-License-Identifier: ISC */
#include "ctl/attend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "ctl/beside.h"
#include "ctl/inside.h"

#define PATIENCE 3 /* of so many signals the last one is our end, too */

static const struct {
	int number;
	const char *name;
} signals[] = { { SIGINT, "INT" }, { SIGQUIT, "QUIT" }, { SIGTERM, "TERM" },
	{ SIGHUP, "HUP" } };

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

void
attend_put_ssh(
    const struct attend *attend, const char *ret[static ATTEND_SSH_WORDS])
{
	const char *const words[ATTEND_SSH_WORDS] = { "ssh", "-F",
		attend->config, "-oBatchMode=yes", "-oLogLevel=ERROR", "-T",
		attend->name, "--", "", NULL };

	memcpy(ret, words, sizeof(words));
}

static enum sbx_err
start(const struct attend *attend, const char *mark, pid_t *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf line = BUF_INIT(INSIDE_MAX);
	const char *const argv[] = { "ssh", "-F", attend->config,
		"-oBatchMode=yes", "-oLogLevel=ERROR", "-oEscapeChar=none",
		attend->terminal ? "-tt" : "-T", attend->name, "--", NULL,
		NULL };
	const char *words[sizeof(argv) / sizeof(argv[0])];
	const struct beside program = { words, -1,
		attend->output_to_err ? STDERR_FILENO : -1, -1,
		/* deaf= */ true };

	inside_run(mark, attend->command, &line);
	if (buf_error(&line) != SBX_OK)
		return sbx_fail(why, SBX_TOO_LARGE, "the command is too long");
	memcpy(words, argv, sizeof(argv));
	words[sizeof(argv) / sizeof(argv[0]) - 2] = buf_text(&line);
	return beside_start(&program, ret, why);
}

/* By another ssh: the protocol has it, but not the client. */
static void
send_signal(const struct attend *attend, const char *mark, const char *name)
{
	cleanup_buf struct buf line = BUF_INIT(INSIDE_MAX);
	cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char *ssh[ATTEND_SSH_WORDS];
	const struct beside quiet = { ssh, null, null, null,
		/* deaf= */ true };
	size_t last = 0;
	pid_t pid;

	inside_signal(mark, name, &line);
	attend_put_ssh(attend, ssh);
	while (ssh[last + 1] != NULL)
		last++;
	ssh[last] = buf_text(&line);
	if (beside_start(&quiet, &pid, NULL) != SBX_OK)
		return;
	/* Nobody waits for it; init does, if it outlives us. */
}

static void
pass_on(const struct attend *attend, const char *mark, int signal_fd, pid_t pid,
    unsigned *count)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].number == (int)info.ssi_signo)
			send_signal(attend, mark, signals[i].name);
	}
	if (++*count == PATIENCE)
		(void)kill(pid, SIGKILL);
}

/* Until something happens at fd; the stream goes on meanwhile, or ends. */
static void
wait_for(const struct attend *attend, int fd, bool *stream_open)
{
	struct pollfd one = { fd, POLLIN, 0 };

	if (*stream_open)
		*stream_open = http_wait(attend->stream, fd, /* ms= */ -1);
	else
		(void)poll(&one, 1, -1);
}

static bool
is_readable(int fd)
{
	struct pollfd one = { fd, POLLIN, 0 };

	return poll(&one, 1, 0) > 0;
}

static void
watch(const struct attend *attend, const char *mark, int both, int signal_fd,
    int process, pid_t pid)
{
	bool stream_open = attend->stream != NULL;
	unsigned count = 0;

	while (!is_readable(process)) {
		wait_for(attend, both, &stream_open);
		if (is_readable(signal_fd))
			pass_on(attend, mark, signal_fd, pid, &count);
	}
}

static bool
add(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void
take_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaddset(ret, signals[i].number);
}

void
attend_begin(void)
{
	sigset_t set;

	take_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

enum sbx_err
attend_run(const struct attend *attend, int *ret_status, struct sbx_why *why)
{
	cleanup_close int both = epoll_create1(EPOLL_CLOEXEC);
	cleanup_close int signal_fd = -1, process = -1;
	char mark[INSIDE_MARK_LEN];
	sigset_t set;
	enum sbx_err err;
	pid_t pid;

	take_signals(&set);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	inside_new_mark(mark);
	err = start(attend, mark, &pid, why);
	if (err != SBX_OK)
		return err;
	process = (int)syscall(SYS_pidfd_open, pid, 0);
	if (both < 0 || signal_fd < 0 || process < 0 || !add(both, signal_fd) ||
	    !add(both, process))
		return sbx_fail(
		    why, SBX_IO, "cannot wait: %s", strerror(errno));
	watch(attend, mark, both, signal_fd, process, pid);
	*ret_status = beside_wait(pid);
	return SBX_OK;
}
