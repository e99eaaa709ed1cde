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

#include "broker/probe.h"
#include "broker/supervisor.h"
#include "common/cleanup.h"
#include "common/log.h"

#define RIVAL_WAIT 30 /* seconds for another sandboxd to answer */

static const struct usage usage = {
	.program = "sandboxd",
	.args = "[options]",
	.summary = "Keep sandboxes and sign certificates for them.",
	.options = broker_option_rows,
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
	(void)!chdir("/");
	if (write(ready_fd, "", 1) != 1)
		log_error("nobody waited for the start");
	(void)close(ready_fd);
}

/*
 * Two that are started at once: one serves, and the other is content as soon
 * as that one answers.  If it dies instead, or is about to end, its place is
 * taken.
 */
static enum sbx_err
become_the_one(const struct broker_settings *settings, bool daemon,
    struct supervisor **ret, struct sbx_why *why)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	time_t deadline = time(NULL) + RIVAL_WAIT;

	for (;;) {
		enum sbx_err err = supervisor_new(settings, ret, why);

		if (err != SBX_STATE)
			return err;
		if (probe_socket(settings->socket))
			return daemon ? SBX_STATE : SBX_UNAVAILABLE;
		if (time(NULL) >= deadline)
			return sbx_fail(why, SBX_TIMEOUT,
			    "another sandboxd runs for %s but does not answer "
			    "at %s",
			    settings->state_dir, settings->socket);
		(void)nanosleep(&pause, NULL);
	}
}

static enum sbx_err
stop(const struct broker_settings *settings, int *ret_status,
    struct sbx_why *why)
{
	pid_t pid = 0;
	enum sbx_err err = probe_stop(settings->socket, &pid, why);

	if (err != SBX_OK)
		return err;
	(void)printf("stopped sandboxd, process %ld\n", (long)pid);
	*ret_status = fflush(stdout) == 0 ? 0 : EX_IOERR;
	return SBX_OK;
}

static uint64_t
unix_time(void)
{
	return (uint64_t)time(NULL);
}

static int
run(const struct broker_settings *settings, int ready_fd)
{
	struct supervisor *supervisor = NULL;
	struct sbx_why why = { "" };
	bool daemon = ready_fd >= 0;
	int log_fd = STDERR_FILENO;
	enum sbx_err err = become_the_one(settings, daemon, &supervisor, &why);

	if (err == SBX_STATE)
		return 0; /* another one answers */
	if (err == SBX_OK && daemon)
		err = open_log(settings, &log_fd, &why);
	/* In the log; a failure to start is told on the terminal. */
	if (daemon)
		log_with_time(unix_time);
	if (err == SBX_OK)
		err = supervisor_start(supervisor, log_fd, &why);
	if (err != SBX_OK)
		log_with_time(NULL);
	if (err == SBX_OK && !probe_socket(settings->socket))
		log_error("no answer from %s yet", settings->socket);
	if (err == SBX_OK) {
		if (daemon)
			settle_in(log_fd, ready_fd);
		log_error("listening at %s", settings->socket);
		err = supervisor_watch(supervisor, &why);
	}
	supervisor_free(supervisor);
	if (err != SBX_OK)
		return log_failure(err, &why);
	log_error("stopped");
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct operands none = { 0, 0, NULL };
	struct broker_options options = { 0 };
	struct broker_settings settings;
	struct usage with_options = usage;
	struct sbx_why why = { "" };
	struct paths paths;
	int first = 0, ready_fd = -1, status = -1;
	enum sbx_err err;

	log_init(argv[0]);
	with_options.option_count = broker_option_count;
	switch (opt_parse(&with_options, argc, argv, &options, &first)) {
	case OPT_DONE:
		return 0;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (opt_operands(&with_options, argc, argv, first, &none) != OPT_RUN)
		return EX_USAGE;
	if (options.daemon && options.stop) {
		log_error("--daemon and --stop exclude each other: see "
			  "sandboxd --help");
		return EX_USAGE;
	}
	(void)umask(022);
	if (sodium_init() < 0)
		return log_failure(SBX_INTERNAL, NULL);
	err = paths_find(&paths, &why);
	if (err == SBX_OK)
		err = broker_settings_read(
		    &paths, getuid(), &options, &settings, &why);
	if (err == SBX_OK && options.stop)
		err = stop(&settings, &status, &why);
	if (err == SBX_OK && options.daemon)
		err = detach(&ready_fd, &status, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	return status >= 0 ? status : run(&settings, ready_fd);
}
