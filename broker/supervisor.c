/* SPDX-License-Identifier: ISC */
#include "broker/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "broker/role.h"
#include "broker/helper/helper.h"
#include "broker/premises.h"
#include "common/cleanup.h"
#include "common/text.h"

#define STOP_HTTP 15	/* seconds before it is killed */
#define STOP_HELPERS 15 /* the same for the others, after http has ended */
#define MOURN 2		/* seconds to find out who died first */
#define BACKLOG 4096	/* or what the system allows */

struct supervisor {
	struct role_kit kit;
	struct premises premises;
	pid_t pid[ROLES]; /* 0: not running */
};

static uint64_t
unix_time(void)
{
	return (uint64_t)time(NULL);
}

enum sbx_err
supervisor_new(const struct broker_settings *settings, struct supervisor **ret,
    struct sbx_why *why)
{
	struct supervisor *v = calloc(1, sizeof(*v));
	enum sbx_err err;

	if (v == NULL)
		return SBX_NOMEM;
	*v = (struct supervisor){ .kit = { .settings = settings,
				      .listen_fd = -1,
				      .signer_fd = -1,
				      .provider_fd = -1,
				      .log_fd = -1 },
		.premises = PREMISES_INIT };
	err = premises_take(settings, &v->premises, why);
	if (err != SBX_OK) {
		supervisor_free(v);
		return err;
	}
	v->kit.state_lock = v->premises.state_lock;
	*ret = v;
	return SBX_OK;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(steal_fd(fd));
}

void
supervisor_free(struct supervisor *v)
{
	if (v == NULL)
		return;
	close_fd(&v->kit.listen_fd);
	close_fd(&v->kit.signer_fd);
	close_fd(&v->kit.provider_fd);
	premises_leave(&v->premises);
	free(v);
}

/* Of Linux 6.16, and in no header yet; alike on all that we know. */
#if !defined(SO_PASSRIGHTS) && (defined(__x86_64__) || defined(__aarch64__))
#define SO_PASSRIGHTS 83
#endif

/*
 * Nobody has a descriptor to send us, and one may be a burden (discard.h).
 * An older kernel lets them do it.
 */
static void
take_no_descriptors(int fd)
{
#ifdef SO_PASSRIGHTS
	const int off = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
#else
	(void)fd;
#endif
}

/* What lies there is stale: whoever made it does not hold the lock. */
static enum sbx_err
listen_at(struct supervisor *v, struct sbx_why *why)
{
	const struct broker_settings *s = v->kit.settings;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mode = s->own_uid == 0 ? 0666 : 0600;
	struct stat st;

	if (text_copy(VIEW_STR(s->socket), address.sun_path,
		sizeof(address.sun_path)) != SBX_OK)
		return sbx_fail(
		    why, SBX_CONFIG, "socket %s: too long", s->socket);
	if (lstat(s->socket, &st) == 0 && !S_ISSOCK(st.st_mode))
		return sbx_fail(why, SBX_CONFIG,
		    "%s is there and is not a socket: remove it or set another "
		    "socket",
		    s->socket);
	(void)unlink(s->socket);
	take_no_descriptors(fd);
	/* Until chmod only we can connect: the umask forbids writing. */
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0 || chmod(s->socket, mode) < 0)
		return sbx_fail(why, SBX_IO, "cannot listen at %s: %s",
		    s->socket, strerror(errno));
	v->kit.listen_fd = steal_fd(&fd);
	return SBX_OK;
}

static enum sbx_err
start_helper(struct supervisor *v, enum role role, int *ret_caller,
    char ret_text[static PROVIDER_LINE], struct sbx_why *why)
{
	cleanup_close int helper = -1;
	enum sbx_err err = helper_pair(ret_caller, &helper, why);

	return err != SBX_OK
	    ? err
	    : role_start(&v->kit, role, helper, &v->pid[role], ret_text, why);
}

/*
 * Ending.
 */

/* Wait for a child's end, at most until the deadline; 0 when it passed. */
static pid_t
wait_child(uint64_t deadline, int *ret_status)
{
	for (;;) {
		struct timespec left = { 0 };
		pid_t pid = waitpid(-1, ret_status, WNOHANG);
		uint64_t now = unix_time();
		sigset_t child;

		if (pid != 0)
			return pid;
		if (now >= deadline)
			return 0;
		left.tv_sec = (time_t)(deadline - now);
		(void)sigemptyset(&child);
		(void)sigaddset(&child, SIGCHLD);
		(void)sigtimedwait(&child, NULL, &left);
	}
}

static void
forget(struct supervisor *v, pid_t pid)
{
	for (int i = 0; i < ROLES; i++) {
		if (v->pid[i] == pid)
			v->pid[i] = 0;
	}
}

static bool
any_runs(const struct supervisor *v)
{
	for (int i = 0; i < ROLES; i++) {
		if (v->pid[i] != 0)
			return true;
	}
	return false;
}

static void
await_end(struct supervisor *v, int which, uint64_t deadline)
{
	while (which < 0 ? any_runs(v) : v->pid[which] != 0) {
		int status;
		pid_t pid = wait_child(deadline, &status);

		if (pid <= 0)
			return;
		forget(v, pid);
	}
}

/* http first: the helpers end by themselves when nobody can call them. */
static void
stop_all(struct supervisor *v)
{
	close_fd(&v->kit.signer_fd);
	close_fd(&v->kit.provider_fd);
	(void)unlink(v->kit.settings->socket);
	if (v->pid[ROLE_HTTP] != 0) {
		(void)kill(v->pid[ROLE_HTTP], SIGTERM);
		await_end(v, ROLE_HTTP, unix_time() + STOP_HTTP);
	}
	if (v->pid[ROLE_HTTP] != 0)
		(void)kill(v->pid[ROLE_HTTP], SIGKILL);
	await_end(v, -1, unix_time() + STOP_HELPERS);
	for (int i = 0; i < ROLES; i++) {
		if (v->pid[i] != 0)
			(void)kill(v->pid[i], SIGKILL);
	}
	await_end(v, -1, unix_time() + 1);
}

enum sbx_err
supervisor_start(struct supervisor *v, int log_fd, struct sbx_why *why)
{
	char text[PROVIDER_LINE];
	sigset_t ends;
	enum sbx_err err;

	/* Blocked in all of them; each says what it wants to hear. */
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);

	v->kit.log_fd = log_fd;
	err = start_helper(
	    v, ROLE_SIGNER, &v->kit.signer_fd, v->kit.ca_line, why);
	if (err == SBX_OK)
		err = start_helper(
		    v, ROLE_PROVIDER, &v->kit.provider_fd, text, why);
	if (err == SBX_OK)
		err = listen_at(v, why);
	if (err == SBX_OK)
		err = role_start(
		    &v->kit, ROLE_HTTP, -1, &v->pid[ROLE_HTTP], text, why);
	/* From here on only http can call the helpers. */
	close_fd(&v->kit.signer_fd);
	close_fd(&v->kit.provider_fd);
	close_fd(&v->kit.listen_fd);
	if (err != SBX_OK)
		stop_all(v);
	return err;
}

static const char *
name_of(const struct supervisor *v, pid_t pid)
{
	for (int i = 0; i < ROLES; i++) {
		if (v->pid[i] == pid)
			return role_name((enum role)i);
	}
	return "unknown";
}

/*
 * Which child ended, and how.  A helper that ended well did so because http
 * is gone, or about to be: that one is to be named.
 */
static enum sbx_err
mourn(struct supervisor *v, pid_t pid, int status, struct sbx_why *why)
{
	uint64_t deadline = unix_time() + MOURN;

	while (status == 0 && pid != v->pid[ROLE_HTTP] && any_runs(v)) {
		int next_status;
		pid_t next = wait_child(deadline, &next_status);

		if (next <= 0)
			break;
		forget(v, pid);
		pid = next;
		status = next_status;
	}
	(void)snprintf(why->text, sizeof(why->text),
	    "the %s process ended (%s %d): stopping", name_of(v, pid),
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	forget(v, pid);
	return SBX_INTERNAL;
}

enum sbx_err
supervisor_watch(struct supervisor *v, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;
	sigset_t all;

	(void)sigemptyset(&all);
	(void)sigaddset(&all, SIGTERM);
	(void)sigaddset(&all, SIGINT);
	(void)sigaddset(&all, SIGCHLD);
	for (;;) {
		int status, signal = sigwaitinfo(&all, NULL);
		pid_t pid;

		if (signal == SIGTERM || signal == SIGINT)
			break;
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			continue;
		err = mourn(v, pid, status, why);
		break;
	}
	stop_all(v);
	return err;
}
