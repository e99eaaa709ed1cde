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
#define LOOK 3		/* seconds between looks at whether it is there */
#define BACKLOG 4096	/* or what the system allows */

/* Processes that serve together, and what they were started with. */
struct team {
	struct broker_settings settings;
	struct role_kit kit;
	pid_t pid[ROLES]; /* 0: not running */
};

struct supervisor {
	struct team team;
	struct premises premises;
	bool handed_over;  /* the socket is the service manager's */
	struct stat bound; /* the one that we have made */
};

static time_t
uptime(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void
team_begin(const struct broker_settings *settings, struct team *ret)
{
	ret->settings = *settings;
	ret->kit = (struct role_kit){ .settings = &ret->settings,
		.state_lock = -1,
		.listen_fd = -1,
		.signer_fd = -1,
		.log_fd = -1 };
	for (size_t i = 0; i < PROVIDERS_MAX; i++)
		ret->kit.provider_fd[i] = -1;
	memset(ret->pid, 0, sizeof(ret->pid));
}

enum sbx_err
supervisor_new(const struct broker_settings *settings,
    const struct manager *manager, struct supervisor **ret, struct sbx_why *why)
{
	struct supervisor *v = calloc(1, sizeof(*v));
	enum sbx_err err;

	if (v == NULL)
		return SBX_NOMEM;
	v->premises = PREMISES_INIT;
	team_begin(settings, &v->team);
	err = premises_take(settings, &v->premises, why);
	if (err != SBX_OK) {
		supervisor_free(v);
		return err;
	}
	v->team.kit.state_lock = v->premises.state_lock;
	v->team.kit.listen_fd = manager->listen_fd;
	v->handed_over = manager->listen_fd >= 0;
	*ret = v;
	return SBX_OK;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(steal_fd(fd));
}

/* From here on only http can call the helpers: they end when it has. */
static void
let_go(struct team *t)
{
	close_fd(&t->kit.signer_fd);
	for (size_t i = 0; i < PROVIDERS_MAX; i++)
		close_fd(&t->kit.provider_fd[i]);
}

void
supervisor_free(struct supervisor *v)
{
	if (v == NULL)
		return;
	close_fd(&v->team.kit.listen_fd);
	let_go(&v->team);
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
	const struct broker_settings *s = &v->team.settings;
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
	    listen(fd, BACKLOG) < 0 || chmod(s->socket, mode) < 0 ||
	    lstat(s->socket, &v->bound) < 0)
		return sbx_fail(why, SBX_IO, "cannot listen at %s: %s",
		    s->socket, strerror(errno));
	v->team.kit.listen_fd = steal_fd(&fd);
	return SBX_OK;
}

static enum sbx_err
start_helper(struct team *t, enum role role, int *ret_caller,
    char ret_text[static PROVIDER_LINE], struct sbx_why *why)
{
	cleanup_close int helper = -1;
	enum sbx_err err = helper_pair(ret_caller, &helper, why);

	return err != SBX_OK
	    ? err
	    : role_start(&t->kit, role, helper, &t->pid[role], ret_text, why);
}

static enum sbx_err
start_helpers(struct team *t, struct sbx_why *why)
{
	char text[PROVIDER_LINE];
	enum sbx_err err = start_helper(
	    t, ROLE_SIGNER, &t->kit.signer_fd, t->kit.ca_line, why);

	for (size_t i = 0; i < PROVIDERS_MAX && err == SBX_OK; i++) {
		enum role role = (enum role)(ROLE_PROVIDER + i);

		if (role_is_wanted(&t->kit, role))
			err = start_helper(
			    t, role, &t->kit.provider_fd[i], text, why);
	}
	return err;
}

static enum sbx_err
start_http(struct team *t, struct sbx_why *why)
{
	char text[PROVIDER_LINE];
	enum sbx_err err =
	    role_start(&t->kit, ROLE_HTTP, -1, &t->pid[ROLE_HTTP], text, why);

	let_go(t);
	return err;
}

/*
 * Ending.
 */

/* Until a child has ended, any, or the deadline passed. */
static void
await_child(time_t deadline)
{
	struct timespec left = { .tv_sec = deadline - uptime() };
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigtimedwait(&child, NULL, &left);
}

/* Has it ended, or has it never run? */
static bool
is_gone(pid_t *pid)
{
	if (*pid != 0 && waitpid(*pid, NULL, WNOHANG) != 0)
		*pid = 0;
	return *pid == 0;
}

static bool
all_gone(struct team *t)
{
	bool all = true;

	for (int i = 0; i < ROLES; i++)
		all = is_gone(&t->pid[i]) && all;
	return all;
}

static void
end_http(struct team *t)
{
	time_t deadline = uptime() + STOP_HTTP;

	if (is_gone(&t->pid[ROLE_HTTP]))
		return;
	(void)kill(t->pid[ROLE_HTTP], SIGTERM);
	while (!is_gone(&t->pid[ROLE_HTTP]) && uptime() < deadline)
		await_child(deadline);
	if (t->pid[ROLE_HTTP] != 0)
		(void)kill(t->pid[ROLE_HTTP], SIGKILL);
}

/* http first: the helpers end by themselves when nobody can call them. */
static void
end_team(struct team *t)
{
	time_t deadline;

	let_go(t);
	end_http(t);
	deadline = uptime() + STOP_HELPERS;
	while (!all_gone(t) && uptime() < deadline)
		await_child(deadline);
	for (int i = 0; i < ROLES; i++) {
		if (t->pid[i] != 0)
			(void)kill(t->pid[i], SIGKILL);
	}
	deadline = uptime() + 1;
	while (!all_gone(t) && uptime() < deadline)
		await_child(deadline);
}

/* What lies there may be another's by now: a service manager's, say. */
static void
remove_socket(const struct supervisor *v)
{
	const char *path = v->team.settings.socket;
	struct stat st;

	if (!v->handed_over && lstat(path, &st) == 0 &&
	    st.st_ino == v->bound.st_ino && st.st_dev == v->bound.st_dev)
		(void)unlink(path);
}

void
supervisor_stop(struct supervisor *v)
{
	remove_socket(v);
	close_fd(&v->team.kit.listen_fd);
	end_team(&v->team);
}

static void
block_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGHUP);
	(void)sigaddset(ret, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, ret, NULL);
}

enum sbx_err
supervisor_start(struct supervisor *v, int log_fd, struct sbx_why *why)
{
	sigset_t ours;
	enum sbx_err err;

	/* Blocked in all of them; each says what it wants to hear. */
	block_signals(&ours);
	v->team.kit.log_fd = log_fd;
	err = start_helpers(&v->team, why);
	if (v->handed_over)
		take_no_descriptors(v->team.kit.listen_fd);
	else if (err == SBX_OK)
		err = listen_at(v, why);
	if (err == SBX_OK)
		err = start_http(&v->team, why);
	if (err != SBX_OK)
		supervisor_stop(v);
	return err;
}

static void
put_end(const struct team *t, pid_t pid, int status, struct sbx_why *why)
{
	const char *name = "unknown";

	for (int i = 0; i < ROLES; i++) {
		if (t->pid[i] == pid)
			name = role_name((enum role)i);
	}
	(void)snprintf(why->text, sizeof(why->text),
	    "the %s process ended (%s %d): stopping", name,
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void
forget(struct team *t, pid_t pid)
{
	for (int i = 0; i < ROLES; i++) {
		if (t->pid[i] == pid)
			t->pid[i] = 0;
	}
}

/*
 * Which child ended, and how.  A helper that ended well did so because http
 * is gone, or about to be: that one is to be named.
 */
static enum sbx_err
mourn(struct team *t, pid_t pid, int status, struct sbx_why *why)
{
	time_t deadline = uptime() + MOURN;

	put_end(t, pid, status, why);
	while (status == 0 && pid != t->pid[ROLE_HTTP] && uptime() < deadline) {
		pid_t next = waitpid(-1, &status, WNOHANG);

		if (next < 0)
			break;
		if (next == 0) {
			status = 0;
			await_child(deadline);
			continue;
		}
		forget(t, pid);
		pid = next;
		put_end(t, pid, status, why);
	}
	forget(t, pid);
	return SBX_INTERNAL;
}

/* A service manager's is for that one to see to. */
static bool
has_no_socket(const struct supervisor *v)
{
	struct stat st;

	return !v->handed_over && lstat(v->team.settings.socket, &st) < 0 &&
	    (errno == ENOENT || errno == ENOTDIR);
}

enum sbx_err
supervisor_watch(
    struct supervisor *v, enum watched *ret_what, struct sbx_why *why)
{
	const struct timespec look = { .tv_sec = LOOK };
	sigset_t ours;

	block_signals(&ours);
	for (;;) {
		int status, signal;
		/* Its signal may be gone: one stands for many. */
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0)
			return mourn(&v->team, pid, status, why);
		signal = sigtimedwait(&ours, NULL, &look);
		if (signal < 0 && has_no_socket(v)) {
			*ret_what = WATCHED_NO_SOCKET;
			return SBX_OK;
		}
		if (signal < 0 || signal == SIGCHLD)
			continue;
		*ret_what = signal == SIGHUP ? WATCHED_RELOAD : WATCHED_END;
		return SBX_OK;
	}
}

/*
 * Reloading.
 */

/* Locks, folders and files on disk hang on these. */
static const char *
keep_fixed(const struct broker_settings *old, struct broker_settings *now)
{
	const char *kept = NULL;

	if (strcmp(old->socket, now->socket) != 0)
		kept = "socket";
	if (strcmp(old->state_dir, now->state_dir) != 0)
		kept = "state_dir";
	if (strcmp(old->runtime_dir, now->runtime_dir) != 0)
		kept = "runtime_dir";
	if (old->uid_range.start != now->uid_range.start ||
	    old->uid_range.count != now->uid_range.count)
		kept = "uid_range";
	memcpy(now->socket, old->socket, sizeof(now->socket));
	memcpy(now->state_dir, old->state_dir, sizeof(now->state_dir));
	memcpy(now->runtime_dir, old->runtime_dir, sizeof(now->runtime_dir));
	now->uid_range = old->uid_range;
	return kept;
}

enum sbx_err
supervisor_reload(struct supervisor *v, const struct broker_settings *settings,
    int log_fd, const char **ret_kept, bool *ret_goes_on, struct sbx_why *why)
{
	struct team *next = calloc(1, sizeof(*next));
	enum sbx_err err;

	*ret_goes_on = true;
	if (next == NULL)
		return SBX_NOMEM;
	team_begin(settings, next);
	*ret_kept = keep_fixed(&v->team.settings, &next->settings);
	next->kit.state_lock = v->premises.state_lock;
	next->kit.log_fd = log_fd;
	err = start_helpers(next, why);
	if (err != SBX_OK) {
		end_team(next);
		free(next);
		return err;
	}
	/* What is under way ends before anybody else can begin. */
	next->kit.listen_fd = steal_fd(&v->team.kit.listen_fd);
	end_team(&v->team);
	v->team = *next;
	v->team.kit.settings = &v->team.settings;
	free(next);
	err = start_http(&v->team, why);
	*ret_goes_on = err == SBX_OK;
	if (err != SBX_OK)
		supervisor_stop(v);
	return err;
}

enum sbx_err
supervisor_listen_again(
    struct supervisor *v, int log_fd, bool *ret_goes_on, struct sbx_why *why)
{
	struct broker_settings same = v->team.settings;
	const char *kept;
	enum sbx_err err = premises_mend(&same, why);

	*ret_goes_on = true;
	/* Nobody can come by the old one; who has come in, http still has. */
	close_fd(&v->team.kit.listen_fd);
	if (err == SBX_OK)
		err = listen_at(v, why);
	if (err == SBX_OK)
		err = supervisor_reload(
		    v, &same, log_fd, &kept, ret_goes_on, why);
	/* Missing still, so that it is tried again. */
	if (err != SBX_OK && *ret_goes_on)
		remove_socket(v);
	return err;
}
