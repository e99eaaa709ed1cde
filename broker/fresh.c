/* SPDX-License-Identifier: ISC */
#include "broker/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/process.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/rlimits.h"
#include "common/scope.h"
#include "common/text.h"

#define PATH_FOR_ALL \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TIMER_SLACK 50000 /* nanoseconds, the kernel's default */

extern char **environ;

void
fresh_begin(const int *keep, size_t count)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	/* A log that nobody reads any more must not end us. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	process_keep_fds(keep, count);
}

void
fresh_environment(void)
{
	for (char **variable = environ; variable != NULL && *variable != NULL;
	     variable++)
		sodium_memzero(*variable, strlen(*variable));
	(void)clearenv();
	/* Where newuidmap(1) is looked for. */
	(void)setenv("PATH", PATH_FOR_ALL, /* overwrite= */ 1);
}

struct left {
	char *text;
	size_t size;
};

static void
leave(struct left *left, const char *name)
{
	size_t len = strlen(left->text);

	(void)snprintf(left->text + len, left->size - len, "%s%s",
	    len == 0 ? "" : ", ", name);
}

/* Processes of one user, as the kernel has it for process 1. */
static rlim_t
usual_processes(void)
{
	cleanup_buf struct buf text = BUF_INIT(32);
	uint64_t threads;

	if (file_read(AT_FDCWD, "/proc/sys/kernel/threads-max", &text, NULL) !=
	    SBX_OK)
		return RLIM_INFINITY;
	if (text.len > 0 && text.p[text.len - 1] == '\n')
		text.p[text.len - 1] = '\0';
	return text_uint(buf_text(&text), 2, INT32_MAX, &threads) == SBX_OK
	    ? (rlim_t)threads / 2
	    : RLIM_INFINITY;
}

static void
reset_limits(struct left *left)
{
	rlim_t processes = usual_processes();

	for (size_t i = 0; i < RLIMITS_USUAL; i++) {
		const struct usual_rlimit *usual = &rlimits_usual[i];
		struct rlimit now;

		if (!rlimits_set(usual->resource, usual->soft, usual->hard) ||
		    getrlimit(usual->resource, &now) < 0 ||
		    now.rlim_cur < usual->soft)
			leave(left, usual->name);
	}
	(void)!rlimits_set(RLIMIT_NPROC, processes, processes);
}

static void
reset_priorities(struct left *left)
{
	const struct sched_param none = { 0 };
	cpu_set_t all;

	(void)sched_setscheduler(0, SCHED_OTHER, &none);
	if (setpriority(PRIO_PROCESS, 0, 0) < 0)
		leave(left, "niceness");
	memset(&all, 0xff, sizeof(all));
	(void)sched_setaffinity(0, sizeof(all), &all);
	(void)syscall(SYS_ioprio_set, /* which= process */ 1, 0, 0);
	(void)syscall(SYS_set_mempolicy, /* mode= default */ 0, NULL, 0);
	(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK, 0, 0, 0);
	(void)prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

static bool
write_own(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && file_write_fd(fd, VIEW_STR(text)) == SBX_OK;
}

bool
fresh_daemon(char *ret, size_t size)
{
	struct left left = { ret, size };

	*ret = '\0';
	/* A write must not be what the limit on file sizes kills. */
	reset_limits(&left);
	reset_priorities(&left);
	if (!write_own("/proc/self/oom_score_adj", "0"))
		leave(&left, "oom_score_adj");
	(void)write_own("/proc/self/coredump_filter", "0x33");
	(void)personality(PER_LINUX);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Keys of the caller's session; where there are none it fails. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (geteuid() == 0 && setgroups(0, NULL) == 0 && setresgid(0, 0, 0) < 0)
		leave(&left, "gid");
	(void)!chdir("/");
	/* Not in the session, or the unit, of whoever called. */
	(void)scope_move(&(struct scope){ .name = "sandboxd" }, getpid());
	return *ret != '\0';
}
