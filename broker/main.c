/* SPDX-License-Identifier: ISC */
/*
 * sandboxd: keeps sandboxes and signs certificates for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <sodium.h>

#include "broker/fresh.h"
#include "broker/premises.h"
#include "broker/probe.h"
#include "broker/supervisor.h"
#include "common/cleanup.h"
#include "common/log.h"

#define RIVAL_WAIT 30 /* seconds for another sandboxd to answer */
#define LEFT_MAX 256

static const struct usage usage = {
	.program = "sandboxd",
	.args = "[options]",
	.summary = "Keep sandboxes and sign certificates for them.",
	.options = broker_option_rows,
};

/* What a reload reads again, and what the first start was given. */
struct start {
	struct paths paths;
	struct broker_options options;
	struct broker_settings settings;
	struct manager manager;
	bool lost;	     /* its socket, and could not make another */
	int ready_fd;	     /* of a daemon, until it is ready; else -1 */
	char left[LEFT_MAX]; /* of the caller's; "" */
};

/* SBX_OK: go on as the daemon, saying when it is ready through *ret_fd. */
static enum sbx_err
detach(int *ret_fd, int *ret_status, struct sbx_why *why)
{
	int fds[2], status;
	unsigned char done;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	if (pid == 0) {
		(void)close(fds[0]);
		(void)setsid();
		*ret_fd = fds[1];
		return SBX_OK;
	}
	(void)close(fds[1]);
	if (read(fds[0], &done, 1) == 1) {
		*ret_status = 0;
		return SBX_OK;
	}
	/* It has said why; its status is ours. */
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		*ret_status = WEXITSTATUS(status);
	else
		*ret_status = EX_SOFTWARE;
	return SBX_OK;
}

static enum sbx_err
open_log(
    const struct broker_settings *settings, int *ret_fd, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err =
	    paths_join(settings->state_dir, "sandboxd.log", path);

	if (err != SBX_OK)
		return err;
	*ret_fd = open(path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
	    0600);
	if (*ret_fd < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot write %s: %s", path, strerror(errno));
	return SBX_OK;
}

/* The terminal is given back: from here on there is only the log. */
static void
settle_in(int log_fd, int ready_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(log_fd, STDERR_FILENO);
	(void)close(null);
	(void)close(log_fd);
	if (write(ready_fd, "", 1) != 1)
		log_error("nobody waited for the start");
	(void)close(ready_fd);
}

/* A clock that is set moves no deadline. */
static time_t
uptime(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* The one that holds the lock, wherever it listens. */
static enum sbx_err
stop_holder(
    const struct broker_settings *settings, pid_t *ret_pid, struct sbx_why *why)
{
	pid_t pid = premises_holder(settings->state_dir);
	cleanup_close int process = pid == 0 ? -1 : probe_open(pid);

	/* It held it all the time, so it is the process that we have. */
	if (process < 0 || premises_holder(settings->state_dir) != pid)
		return sbx_fail(why, SBX_UNAVAILABLE, "no sandboxd runs for %s",
		    settings->state_dir);
	*ret_pid = pid;
	return probe_end(process, pid, why);
}

/*
 * Two that are started at once: one serves, and the other is content as soon
 * as that one answers.  If it dies instead, or is about to end, its place is
 * taken.  To one that a service manager starts the other gives way: a client
 * may have started that one while there was no service.
 */
static enum sbx_err
become_the_one(
    const struct start *start, struct supervisor **ret, struct sbx_why *why)
{
	const struct broker_settings *settings = &start->settings;
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	time_t deadline = uptime() + RIVAL_WAIT;
	bool daemon = start->ready_fd >= 0;
	pid_t rival;

	for (;;) {
		enum sbx_err err =
		    supervisor_new(settings, &start->manager, ret, why);

		if (err != SBX_STATE)
			return err;
		if (manager_is_there(&start->manager))
			(void)!stop_holder(settings, &rival, NULL);
		else if (probe_socket(settings->socket))
			return daemon ? SBX_STATE : SBX_UNAVAILABLE;
		if (uptime() >= deadline)
			return sbx_fail(why, SBX_TIMEOUT,
			    "another sandboxd runs for %s but does not answer "
			    "at %s: end it with kill $(cat "
			    "%s/sandboxd.lock)",
			    settings->state_dir, settings->socket,
			    settings->state_dir);
		(void)nanosleep(&pause, NULL);
	}
}

static enum sbx_err
stop(const struct start *start, int *ret_status, struct sbx_why *why)
{
	const struct broker_settings *settings = &start->settings;
	pid_t pid = 0;
	enum sbx_err err = probe_stop(settings->socket, &pid, why);

	/* Its socket may have been removed; who names one means that one. */
	if (err == SBX_UNAVAILABLE && *start->options.socket == '\0') {
		struct sbx_why own = { "" };

		err = stop_holder(settings, &pid, &own);
		if (err != SBX_OK && err != SBX_UNAVAILABLE)
			*why = own;
	}
	if (err != SBX_OK)
		return err;
	(void)printf("stopped sandboxd, process %ld\n", (long)pid);
	*ret_status = fflush(stdout) == 0 ? 0 : EX_IOERR;
	return SBX_OK;
}

/* Only returns when it could not become make-kit. */
static int
make_kit(const struct paths *paths, const struct broker_options *options)
{
	char path[PATHS_MAX];
	const char *argv[6] = { "make-kit" };
	size_t n = 1;

	if (paths_join(paths->libexec, "make-kit", path) != SBX_OK)
		return log_failure(SBX_CONFIG, NULL);
	if (*options->openssh != '\0') {
		argv[n++] = "--openssh";
		argv[n++] = options->openssh;
	}
	argv[n++] = "--";
	argv[n++] = options->make_kit;
	(void)execv(path, (char *const *)argv);
	log_error("cannot start %s: %s: install sandbox-ssh completely", path,
	    strerror(errno));
	return EX_UNAVAILABLE;
}

static uint64_t
unix_time(void)
{
	return (uint64_t)time(NULL);
}

static enum sbx_err
begin(const struct start *start, struct supervisor **ret, int *log_fd,
    struct sbx_why *why)
{
	bool daemon = start->ready_fd >= 0;
	enum sbx_err err = become_the_one(start, ret, why);

	if (err == SBX_OK && daemon)
		err = open_log(&start->settings, log_fd, why);
	/* In the log; a failure to start is told on the terminal. */
	if (daemon)
		log_with_time(unix_time);
	if (err == SBX_OK)
		err = supervisor_start(*ret, *log_fd, why);
	if (err != SBX_OK)
		log_with_time(NULL);
	return err;
}

/* The settings as they are now, and the log where it is now. */
static enum sbx_err
reload(struct start *start, struct supervisor *supervisor, bool daemon,
    bool *ret_goes_on, struct sbx_why *why)
{
	cleanup_close int log_fd = -1;
	struct broker_settings now;
	const char *kept = NULL;
	enum sbx_err err = SBX_OK;

	*ret_goes_on = true;
	if (daemon)
		err = open_log(&start->settings, &log_fd, why);
	if (err == SBX_OK && daemon && dup2(log_fd, STDERR_FILENO) < 0)
		err = SBX_IO;
	if (err == SBX_OK)
		err = broker_settings_read(
		    &start->paths, getuid(), &start->options, &now, why);
	if (err == SBX_OK)
		err = supervisor_reload(
		    supervisor, &now, STDERR_FILENO, &kept, ret_goes_on, why);
	/* So does the log: what we began with is still ours. */
	if (kept != NULL)
		log_error("%s stays as it is until the next start", kept);
	return err;
}

/* Said once in a row, though it is tried again and again. */
static enum sbx_err
listen_again(struct start *start, struct supervisor *supervisor,
    bool *ret_goes_on, struct sbx_why *why)
{
	enum sbx_err err = supervisor_listen_again(
	    supervisor, STDERR_FILENO, ret_goes_on, why);

	if (err == SBX_OK)
		log_error("%s was removed: listening there again",
		    start->settings.socket);
	else if (!start->lost)
		log_error("%s was removed, and cannot be made again: %s",
		    start->settings.socket, sbx_why_text(why, err));
	start->lost = err != SBX_OK;
	return err;
}

/* Until it is over. */
static enum sbx_err
serve(struct start *start, struct supervisor *supervisor, bool daemon,
    struct sbx_why *why)
{
	for (;;) {
		enum watched what = WATCHED_END;
		bool goes_on = true;
		enum sbx_err err = supervisor_watch(supervisor, &what, why);

		if (err != SBX_OK || what == WATCHED_END) {
			manager_tell(&start->manager, "STOPPING=1\n");
			supervisor_stop(supervisor);
			return err;
		}
		if (what == WATCHED_NO_SOCKET) {
			err = listen_again(start, supervisor, &goes_on, why);
			if (!goes_on)
				return err;
			continue;
		}
		manager_tell_reload(&start->manager);
		err = reload(start, supervisor, daemon, &goes_on, why);
		if (!goes_on)
			return err;
		if (err == SBX_OK)
			log_error("reloaded");
		else
			log_error("not reloaded: %s", sbx_why_text(why, err));
		manager_tell(&start->manager, "READY=1\n");
	}
}

static int
run(struct start *start)
{
	struct supervisor *supervisor = NULL;
	struct sbx_why why = { "" };
	bool daemon = start->ready_fd >= 0;
	int log_fd = STDERR_FILENO;
	enum sbx_err err = begin(start, &supervisor, &log_fd, &why);

	if (err == SBX_STATE)
		return 0; /* another one answers */
	if (err == SBX_OK && !probe_socket(start->settings.socket))
		log_error("no answer from %s yet", start->settings.socket);
	if (err == SBX_OK) {
		if (daemon)
			settle_in(log_fd, start->ready_fd);
		log_error("listening at %s", start->settings.socket);
		if (*start->left != '\0')
			log_error("of whoever started it these stay: %s",
			    start->left);
		manager_tell(&start->manager, "READY=1\nSTATUS=Serving\n");
		err = serve(start, supervisor, daemon, &why);
	}
	supervisor_free(supervisor);
	if (err != SBX_OK)
		return log_failure(err, &why);
	log_error("stopped");
	return 0;
}

/* Whatever the caller's process had that is not ours, but for the settings. */
static enum sbx_err
begin_afresh(struct start *start, struct sbx_why *why)
{
	const struct manager_variables variables = {
		getenv("NOTIFY_SOCKET"),
		getenv("LISTEN_PID"),
		getenv("LISTEN_FDS"),
	};
	enum sbx_err err = SBX_OK;

	start->manager = MANAGER_NONE;
	/* Else they are meant for whoever called us. */
	if (!start->options.daemon && !start->options.stop)
		err = manager_find(&variables, getpid(), &start->manager, why);
	fresh_begin(
	    &start->manager.listen_fd, start->manager.listen_fd >= 0 ? 1 : 0);
	if (err == SBX_OK)
		err = paths_find(&start->paths, why);
	fresh_environment();
	return err;
}

int
main(int argc, char **argv)
{
	static const struct operands none = { 0, 0, NULL };
	static struct start start = { .ready_fd = -1 };
	struct usage with_options = usage;
	struct sbx_why why = { "" };
	int first = 0, status = -1;
	enum opt_result result;
	enum sbx_err err;

	log_init(argv[0]);
	with_options.option_count = broker_option_count;
	result = opt_parse(&with_options, argc, argv, &start.options, &first);
	if (result != OPT_RUN)
		return opt_status(result);
	if (opt_operands(&with_options, argc, argv, first, &none) != OPT_RUN)
		return EX_USAGE;
	if (start.options.daemon && start.options.stop) {
		log_error("--daemon and --stop exclude each other: see "
			  "sandboxd --help");
		return EX_USAGE;
	}
	(void)umask(022);
	if (sodium_init() < 0)
		return log_failure(SBX_INTERNAL, NULL);
	err = begin_afresh(&start, &why);
	if (err == SBX_OK && *start.options.make_kit != '\0')
		return make_kit(&start.paths, &start.options);
	if (err == SBX_OK)
		err = broker_settings_read(&start.paths, getuid(),
		    &start.options, &start.settings, &why);
	if (err == SBX_OK && start.manager.listen_fd >= 0)
		err = manager_check_path(
		    &start.manager, start.settings.socket, &why);
	if (err == SBX_OK && start.options.stop)
		err = stop(&start, &status, &why);
	if (err == SBX_OK && start.options.daemon)
		err = detach(&start.ready_fd, &status, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	if (status >= 0)
		return status;
	if (start.options.daemon)
		(void)fresh_daemon(start.left, sizeof(start.left));
	return run(&start);
}
