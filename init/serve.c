/* SPDX-License-Identifier: ISC */
#include "init/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "init/control.h"
#include "init/descendants.h"

#define SERVE_CONNECTIONS_MAX SESSIONS_MAX

/* How long to leave connections waiting when descriptors or memory lack. */
#define SHORTAGE_MS 200

/* Of 1000: a tenth of the memory that there is. */
#define OOM_SCORE "100"

/* Of what is polled beside the sessions. */
#define OTHERS 4

struct server {
	int listen_fd;
	int control_fd;
	int signal_fd;
	char **command;
	struct sessions sessions;
	struct quota_watch quota;
	const char *full; /* NULL: nobody wants to know */
	bool told;	  /* it is there */
	bool ending;
	bool hurry;    /* with less patience */
	bool shortage; /* of something that only time brings back */
	bool broken;   /* the socket cannot be accepted on any more */
};

static void
complain(const char *what)
{
	(void)dprintf(
	    STDERR_FILENO, "sandbox-init: %s: %s\n", what, strerror(errno));
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * When memory runs out, ours or the machine's, what we started is to end
 * before us: without us nobody gets in to look.
 */
static void
become_dispensable(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, OOM_SCORE, strlen(OOM_SCORE));
		(void)close(fd);
	}
}

/* To remove something is all that can be done then. */
static void
write_nothing(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_FSIZE, &none) < 0)
		_exit(EX_OSERR);
	/* Who tries is told, and does not die of it. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

/* Goes on while the machine sleeps. */
static int64_t
now_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

/* Nothing of ours may show in what we start: signals, descriptors, session. */
static void
run_command(int fd, int log, const struct server *s)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	become_dispensable();
	if (s->quota.over)
		write_nothing();
	if (dup2(log, STDERR_FILENO) < 0 || dup2(fd, STDIN_FILENO) < 0 ||
	    dup2(fd, STDOUT_FILENO) < 0)
		_exit(EX_OSERR);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)execv(s->command[0], s->command);
	_exit(EX_UNAVAILABLE);
}

static void
accept_one(struct server *s)
{
	cleanup_close int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	cleanup_close int ours = -1, theirs = -1;
	int ends[2];
	pid_t pid;

	if (fd < 0) {
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			s->shortage = true;
			return;
		case EBADF:
		case EINVAL:
		case ENOTSOCK:
		case EOPNOTSUPP:
			s->broken = true;
			return;
		default: /* the peer went away, or another signal came */
			return;
		}
	}
	if (pipe2(ends, O_CLOEXEC) == 0) {
		ours = ends[0];
		theirs = ends[1];
	}
	pid = fcntl(ours, F_SETFL, O_NONBLOCK) < 0 ? -1 : fork();
	if (pid == 0)
		run_command(fd, theirs, s);
	if (pid < 0)
		s->shortage = true; /* this peer is turned away */
	else
		sessions_add(
		    &s->sessions, pid, steal_fd(&ours), fd, now_seconds());
}

static void
forget(pid_t pid, void *arg)
{
	struct server *s = arg;

	sessions_forget(&s->sessions, pid, now_seconds());
}

static void
take_signals(struct server *s)
{
	struct signalfd_siginfo info;

	while (
	    read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			s->ending = true;
		if (info.ssi_signo == SIGINT)
			s->hurry = true;
	}
}

/* Ask everyone to go, wait a little, then do not ask. */
static void
end_everyone(struct server *s)
{
	int64_t deadline =
	    now_ms() + (s->hurry ? SERVE_SHORT_MS : SERVE_GRACE_MS);

	/* A stopped process takes neither signal before it is continued. */
	descendants_signal(SIGHUP);
	descendants_signal(SIGTERM);
	descendants_signal(SIGCONT);
	while (descendants_reap(forget, s)) {
		struct pollfd p = { s->signal_fd, POLLIN, 0 };
		int64_t left = deadline - now_ms();

		if (left <= 0) {
			/* Again and again: children of the killed come up. */
			descendants_signal(SIGKILL);
			left = 50;
		}
		(void)poll(&p, 1, (int)left);
		take_signals(s);
	}
}

/*
 * What starts us hands its capabilities down.  sshd gets its own for being
 * root's, and a login is to inherit none.
 */
static bool
hand_down_nothing(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ 0 }
	};

	if (geteuid() != 0)
		return true;
	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = 0;
	return syscall(SYS_capset, &header, data) == 0;
}

static bool
prepare(struct server *s)
{
	sigset_t set;

	if (fcntl(s->listen_fd, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(s->listen_fd, F_SETFD, FD_CLOEXEC) < 0) {
		complain("listening descriptor");
		return false;
	}
	if (s->control_fd >= 0 &&
	    fcntl(s->control_fd, F_SETFD, FD_CLOEXEC) < 0) {
		complain("control descriptor");
		return false;
	}
	if (access(s->command[0], X_OK) < 0) {
		complain(s->command[0]);
		return false;
	}
	if (!hand_down_nothing()) {
		complain("capabilities");
		return false;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		complain("cannot adopt orphans");
		return false;
	}
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return false;
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		complain("signalfd");
	return s->signal_fd >= 0;
}

/*
 * Whoever started us waits for this byte.  When nobody reads it any more the
 * starter has died, and a sandbox that nobody knows of must not run on.
 */
static bool
announce(int ready_fd)
{
	int null;

	if (ready_fd >= 0) {
		if (write(ready_fd, "", 1) != 1) {
			complain("nobody waits for us");
			return false;
		}
		(void)close(ready_fd);
	}
	/* Our messages were for the starter, too. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0 && ready_fd >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
	}
	if (null >= 0)
		(void)close(null);
	return true;
}

/* What cannot be written is not told. */
static void
tell_full(struct server *s, bool full)
{
	cleanup_close int fd = -1;

	if (s->full == NULL || full == s->told)
		return;
	s->told = full;
	if (!full) {
		(void)unlink(s->full);
		return;
	}
	fd = open(s->full,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0644);
	if (fd >= 0)
		(void)dprintf(fd, "%zu\n", s->sessions.count);
}

int
serve(const struct serve *how)
{
	bool anybody;
	static struct server s;

	s = (struct server){
		.listen_fd = how->listen_fd,
		.control_fd = how->control_fd,
		.signal_fd = -1,
		.full = how->full,
		.told = true, /* by one that was killed, perhaps */
		.command = how->command,
	};

	quota_begin(&s.quota, &how->quota);
	sessions_begin(&s.sessions, now_seconds());
	if (!prepare(&s) || !announce(how->ready_fd))
		return EX_OSERR;
	while (!s.ending && !s.broken) {
		size_t count = s.sessions.count;
		bool all = count == SERVE_CONNECTIONS_MAX;
		struct pollfd p[OTHERS + SESSIONS_MAX] = {
			{ s.signal_fd, POLLIN, 0 },
			{ all || s.shortage ? -1 : s.listen_fd, POLLIN, 0 },
			{ s.control_fd, POLLIN, 0 },
			{ s.quota.fd, POLLIN, 0 },
		};

		sessions_poll(&s.sessions, p + OTHERS);
		tell_full(&s, all);
		(void)poll(p, OTHERS + count,
		    s.shortage ? SHORTAGE_MS : quota_timeout_ms(&s.quota));
		s.shortage = false;
		sessions_hear(&s.sessions, p + OTHERS, count);
		take_signals(&s);
		anybody = descendants_reap(forget, &s);
		if (p[1].revents != 0 && !s.ending)
			accept_one(&s);
		if (p[2].revents != 0)
			control_take(s.control_fd, &s.listen_fd, &s.sessions,
			    now_seconds());
		if (quota_step(
			&s.quota, anybody || s.sessions.count > 0, now_ms()))
			end_everyone(&s);
	}
	(void)close(s.listen_fd);
	end_everyone(&s);
	(void)close(s.signal_fd);
	return s.broken ? EX_OSERR : 0;
}
