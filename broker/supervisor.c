#include "broker/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "broker/premises.h"
#include "broker/process.h"
#include "broker/provider_call.h"
#include "broker/serve.h"
#include "broker/signer.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"

#define REPORT_MAX 2048
#define STOP_HTTP 15	/* seconds before it is killed */
#define STOP_HELPERS 15 /* the same for the others, after http has ended */
#define MOURN 2		/* seconds to find out who died first */
#define BACKLOG 511

enum { CHILD_SIGNER, CHILD_PROVIDER, CHILD_HTTP, CHILDREN };

static const char *const child_names[CHILDREN] = { "signer", "provider",
	"http" };

struct supervisor {
	const struct broker_settings *settings;
	struct premises premises;
	int listen_fd;
	int signer_fd, provider_fd; /* callers' ends, for http */
	int log_fd;
	pid_t pid[CHILDREN]; /* 0: not running */
	char ca_line[PROVIDER_LINE];
};

/* A child's: what it was started with. */
struct child {
	struct supervisor *supervisor;
	int serve_fd;  /* the helper's end; -1 for http */
	int report_fd; /* closed by report() */
	pid_t parent;
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
	*v = (struct supervisor){ .settings = settings,
		.premises = PREMISES_INIT,
		.listen_fd = -1,
		.signer_fd = -1,
		.provider_fd = -1,
		.log_fd = -1 };
	err = premises_take(settings, &v->premises, why);
	if (err != SBX_OK) {
		supervisor_free(v);
		return err;
	}
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
	close_fd(&v->listen_fd);
	close_fd(&v->signer_fd);
	close_fd(&v->provider_fd);
	premises_leave(&v->premises);
	free(v);
}

/* What lies there is stale: whoever made it does not hold the lock. */
static enum sbx_err
listen_at(struct supervisor *v, struct sbx_why *why)
{
	const struct broker_settings *s = v->settings;
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
	/* Until chmod only we can connect: the umask forbids writing. */
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0 || chmod(s->socket, mode) < 0)
		return sbx_fail(why, SBX_IO, "cannot listen at %s: %s",
		    s->socket, strerror(errno));
	v->listen_fd = steal_fd(&fd);
	return SBX_OK;
}

/*
 * Children.  Each reports once how its start went: the error as u32, then a
 * text (why, or what it has to tell).
 */

static void
report(struct child *child, enum sbx_err err, const char *text)
{
	cleanup_buf struct buf bytes = BUF_INIT(REPORT_MAX);

	buf_put_u32(&bytes, (uint32_t)err);
	buf_put_cstring(&bytes, text);
	if (file_write_fd(child->report_fd, buf_view(&bytes)) != SBX_OK)
		_exit(EX_OSERR); /* the supervisor is gone */
	close_fd(&child->report_fd);
}

static int
report_failure(struct child *child, enum sbx_err err, const struct sbx_why *why)
{
	report(child, err, sbx_why_text(why, err));
	return sbx_err_exit(err);
}

static void
on_end_signal(int signal)
{
	(void)signal; /* helpers end when nobody can call them any more */
}

/*
 * Handlers, unlike SIG_IGN, are gone after exec: what providers run gets its
 * signals as usual.
 */
static void
outlive_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = on_end_signal,
		.sa_flags = SA_RESTART };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
}

static void
unblock_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static enum sbx_err
open_signer(const struct broker_settings *s, struct signer *ret,
    struct buf *ret_line, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	enum sbx_err err = process_hide(why);

	if (err == SBX_OK)
		err = keyfile_read(s->ca_key, s->own_uid, &ret->ca, why);
	if (err != SBX_OK)
		return err;
	ret->now = unix_time;
	key_put_ed25519(ret->ca.public, &blob);
	key_put_line(buf_view(&blob), NULL, ret_line);
	err =
	    process_drop((uid_t)(s->uid_range.start + UID_OFFSET_SIGNER), why);
	/* A change of uid may have made it dumpable again. */
	if (err == SBX_OK)
		err = process_hide(why);
	return err != SBX_OK ? err : buf_error(ret_line);
}

static int
signer_main(struct child *child)
{
	const int fds[] = { child->serve_fd, child->report_fd };
	cleanup_buf struct buf line = BUF_INIT(PROVIDER_LINE);
	struct signer signer = { .now = NULL };
	struct sbx_why why = { "" };
	enum sbx_err err;

	process_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
	outlive_signals();
	unblock_signals();
	err = open_signer(child->supervisor->settings, &signer, &line, &why);
	if (err != SBX_OK) {
		keypair_wipe(&signer.ca);
		return report_failure(child, err, &why);
	}
	report(child, SBX_OK, buf_text(&line));
	err =
	    helper_serve(child->serve_fd, HELPER_IN_TURN, signer_job, &signer);
	keypair_wipe(&signer.ca);
	return sbx_err_exit(err);
}

static int
provider_main(struct child *child)
{
	const struct supervisor *v = child->supervisor;
	/* With the lock: no other sandboxd may meet a call under way. */
	const int fds[] = { child->serve_fd, child->report_fd,
		v->premises.state_lock };
	struct provider_context context;
	struct sbx_why why = { "" };
	enum sbx_err err;

	process_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
	/* ^C on a terminal is for the supervisor. */
	(void)setpgid(0, 0);
	outlive_signals();
	unblock_signals();
	err = broker_settings_for_providers(
	    v->settings, v->ca_line, &context, &why);
	if (err != SBX_OK)
		return report_failure(child, err, &why);
	report(child, SBX_OK, "");
	return sbx_err_exit(helper_serve(
	    child->serve_fd, HELPER_FORKING, provider_job, &context));
}

static void
on_ready(void *context)
{
	report(context, SBX_OK, "");
}

static int
http_main(struct child *child)
{
	const struct supervisor *v = child->supervisor;
	const struct broker_settings *s = v->settings;
	/*
	 * Without the lock: a descriptor of it is enough to unlock it, and
	 * what could meet another sandboxd is the provider process, not us.
	 */
	const int fds[] = { child->report_fd, v->listen_fd, v->signer_fd,
		v->provider_fd };
	struct serve serve = { s, v->listen_fd, v->signer_fd, v->provider_fd,
		v->ca_line, on_ready, child };
	struct sbx_why why = { "" };
	enum sbx_err err;

	process_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
	(void)umask(077);
	err = process_drop((uid_t)(s->uid_range.start + UID_OFFSET_HTTP), &why);
	/* Only now: a change of uid would undo it. */
	if (err == SBX_OK && !process_follow(child->parent, SIGTERM))
		return EX_UNAVAILABLE;
	if (err == SBX_OK)
		err = serve_run(&serve, &why);
	if (err == SBX_OK)
		return 0;
	if (child->report_fd >= 0)
		return report_failure(child, err, &why);
	return log_failure(err, &why);
}

static enum sbx_err
take_report(int fd, const char *name, char ret_text[static PROVIDER_LINE],
    struct sbx_why *why)
{
	cleanup_buf struct buf bytes = BUF_INIT(REPORT_MAX);
	enum sbx_err err = file_read_fd(fd, &bytes);
	struct wire w = wire_of(buf_view(&bytes));
	uint32_t code = wire_u32(&w);
	struct view text = wire_string(&w, PROVIDER_LINE - 1);

	if (err != SBX_OK || wire_end(&w) != SBX_OK || code >= SBX_ERR_COUNT)
		return sbx_fail(why, SBX_INTERNAL,
		    "the %s process ended while it started", name);
	if (code != SBX_OK)
		return sbx_fail(why, (enum sbx_err)code, "%.*s", (int)text.len,
		    (const char *)text.p);
	memcpy(ret_text, text.p, text.len);
	ret_text[text.len] = '\0';
	return SBX_OK;
}

/* Whoever reads our output must not wait for the end of a child. */
static void
leave_terminal(int log_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(log_fd, STDERR_FILENO);
	if (null > STDERR_FILENO)
		(void)close(null);
}

/* Fork one and wait until it has reported. */
static enum sbx_err
start_child(struct supervisor *v, int which, int serve_fd,
    int (*child_main)(struct child *), char ret_text[static PROVIDER_LINE],
    struct sbx_why *why)
{
	static const char *const titles[CHILDREN] = { "sandboxd:signer",
		"sandboxd:prov", "sandboxd:http" };
	struct child child = { v, serve_fd, -1, getpid() };
	cleanup_close int report_fd = -1;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	report_fd = pipe_fds[0];
	child.report_fd = pipe_fds[1];
	v->pid[which] = fork();
	if (v->pid[which] == 0) {
		process_title(titles[which]);
		leave_terminal(v->log_fd);
		exit(child_main(&child));
	}
	close_fd(&child.report_fd);
	if (v->pid[which] < 0) {
		v->pid[which] = 0;
		return sbx_fail(
		    why, SBX_NOMEM, "cannot fork: %s", strerror(errno));
	}
	return take_report(report_fd, child_names[which], ret_text, why);
}

static enum sbx_err
start_helper(struct supervisor *v, int which, int (*child_main)(struct child *),
    int *ret_caller, char ret_text[static PROVIDER_LINE], struct sbx_why *why)
{
	cleanup_close int helper = -1;
	enum sbx_err err = helper_pair(ret_caller, &helper, why);

	return err != SBX_OK
	    ? err
	    : start_child(v, which, helper, child_main, ret_text, why);
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
	for (int i = 0; i < CHILDREN; i++) {
		if (v->pid[i] == pid)
			v->pid[i] = 0;
	}
}

static bool
any_runs(const struct supervisor *v)
{
	for (int i = 0; i < CHILDREN; i++) {
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
	close_fd(&v->signer_fd);
	close_fd(&v->provider_fd);
	(void)unlink(v->settings->socket);
	if (v->pid[CHILD_HTTP] != 0) {
		(void)kill(v->pid[CHILD_HTTP], SIGTERM);
		await_end(v, CHILD_HTTP, unix_time() + STOP_HTTP);
	}
	if (v->pid[CHILD_HTTP] != 0)
		(void)kill(v->pid[CHILD_HTTP], SIGKILL);
	await_end(v, -1, unix_time() + STOP_HELPERS);
	for (int i = 0; i < CHILDREN; i++) {
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

	v->log_fd = log_fd;
	err = start_helper(
	    v, CHILD_SIGNER, signer_main, &v->signer_fd, v->ca_line, why);
	if (err == SBX_OK)
		err = start_helper(v, CHILD_PROVIDER, provider_main,
		    &v->provider_fd, text, why);
	if (err == SBX_OK)
		err = listen_at(v, why);
	if (err == SBX_OK)
		err = start_child(v, CHILD_HTTP, -1, http_main, text, why);
	/* From here on only http can call the helpers. */
	close_fd(&v->signer_fd);
	close_fd(&v->provider_fd);
	close_fd(&v->listen_fd);
	if (err != SBX_OK)
		stop_all(v);
	return err;
}

static const char *
name_of(const struct supervisor *v, pid_t pid)
{
	for (int i = 0; i < CHILDREN; i++) {
		if (v->pid[i] == pid)
			return child_names[i];
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

	while (status == 0 && pid != v->pid[CHILD_HTTP] && any_runs(v)) {
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
