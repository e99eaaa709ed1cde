/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/start.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "broker/providers/local/inside.h"
#include "broker/providers/local/launch.h"
#include "broker/providers/local/network.h"
#include "broker/providers/local/root.h"
#include "common/cleanup.h"

#define INFO_MAX 1024

/* The pipes of a start; the child's ends are closed once it has them. */
struct pipes {
	int info[2];  /* from bwrap: the pid of process 1 */
	int block[2]; /* to bwrap: go on; a socket, so without SIGPIPE */
	int ready[2]; /* from sandbox-init: one byte */
};

#define PIPES_INIT ((struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } })

static void
pipes_close(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		cleanup_close_fn(&p->info[i]);
		cleanup_close_fn(&p->block[i]);
		cleanup_close_fn(&p->ready[i]);
	}
}
#define cleanup_pipes __attribute__((cleanup(pipes_close)))

/* Where the file system does not look after it, process 1 does. */
static void
add_quota(struct bwrap *b, const struct box_limits *limits, const char *usage)
{
	char quota[128];

	if (limits->workspace_by == LIMITED_EXACTLY)
		return;
	(void)snprintf(quota, sizeof(quota),
	    "%" PRIu64 ":%" PRIu64 ":" INSIDE_HOME, limits->workspace,
	    limits->files);
	bwrap_add(b, "--quota");
	bwrap_add(b, quota);
	bwrap_add(b, "--usage");
	bwrap_add(b, usage);
}

static void
add_command(struct launch *launch, const struct box *box,
    const struct pipes *pipes, const struct sockets *sockets)
{
	const struct inside *in = inside_of(box);
	struct bwrap *b = &launch->bwrap;
	char config[128];

	bwrap_add(b, "--hostname");
	bwrap_add(b, box->id);
	bwrap_add(b, "--info-fd");
	bwrap_add_fd(b, pipes->info[1]);
	/* It keeps a reader itself, or it would die of our death halfway. */
	bwrap_inherit(b, pipes->info[0]);
	bwrap_add(b, "--block-fd");
	bwrap_add_fd(b, pipes->block[0]);
	bwrap_add(b, "--");
	bwrap_add(b, in->init);
	bwrap_add(b, "--listen-fd");
	bwrap_add_fd(b, sockets->listen);
	bwrap_add(b, "--control-fd");
	bwrap_add_fd(b, sockets->control);
	bwrap_add(b, "--ready-fd");
	bwrap_add_fd(b, pipes->ready[1]);
	bwrap_add(b, "--full");
	bwrap_add(b, in->full);
	add_quota(b, &launch->limits, in->usage);
	/* Whose it is is for sandbox-init to say; LOCAL_UID_SANDBOX. */
	bwrap_add(b, "--own");
	bwrap_add(b, "1000:" INSIDE_RUN);
	bwrap_add(b, "--");
	bwrap_add(b, in->sshd);
	(void)snprintf(config, sizeof(config), "%s/sshd_config", in->own);
	bwrap_add(b, "-i");
	bwrap_add_three(b, "-e", "-f", config);
}

static bool
wait_readable(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* bwrap writes {"child-pid": N, ...} and closes. */
static pid_t
read_child_pid(int fd)
{
	static const char member[] = "\"child-pid\":";
	char text[INFO_MAX];
	size_t len = 0;
	const char *at;
	ssize_t n;

	text[0] = '\0';
	while (len < sizeof(text) - 1 && strchr(text, '}') == NULL &&
	    wait_readable(fd, START_TIMEOUT_MS) &&
	    (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
		len += (size_t)n;
		text[len] = '\0';
	}
	at = strstr(text, member);
	return at == NULL ? 0 : (pid_t)strtol(at + strlen(member), NULL, 10);
}

static enum sbx_err
fail_start(const struct child *child, enum sbx_err err, struct sbx_why *why)
{
	char line[320] = "";

	child_last_line(child, line, sizeof(line));
	return sbx_fail(why, err, "the sandbox does not start: %s",
	    *line == '\0' ? "its first process ended without a word" : line);
}

enum sbx_err
start_await(const struct child *child, int ready, struct sbx_why *why)
{
	char byte;

	if (!wait_readable(ready, START_TIMEOUT_MS))
		return sbx_fail(why, SBX_TIMEOUT,
		    "the sandbox did not start within %d s",
		    START_TIMEOUT_MS / 1000);
	if (read(ready, &byte, 1) == 1)
		return SBX_OK;
	return fail_start(child, SBX_UNAVAILABLE, why);
}

/*
 * Process 1 waits until it is recorded, and gives up when nobody waits for
 * it: however we end, no sandbox runs that nobody knows of.
 */
static enum sbx_err
follow(const struct box *box, const struct child *child,
    const struct pipes *pipes, struct sbx_why *why)
{
	struct process process[BOX_PROCESSES] = { { 0, 0 } };
	enum sbx_err err = SBX_OK;

	if (process_identify(child->pid, &process[BOX_PROCESS_MONITOR]) !=
		SBX_OK ||
	    process_identify(read_child_pid(pipes->info[0]),
		&process[BOX_PROCESS_1]) != SBX_OK)
		err = fail_start(child, SBX_UNAVAILABLE, why);
	if (err == SBX_OK)
		err = network_start(box, process[BOX_PROCESS_1].pid, why);
	if (err == SBX_OK)
		err = box_put_processes(box, process, why);
	if (err == SBX_OK && send(pipes->block[1], "", 1, MSG_NOSIGNAL) != 1)
		err = fail_start(child, SBX_UNAVAILABLE, why);
	if (err == SBX_OK)
		err = start_await(child, pipes->ready[0], why);
	if (err != SBX_OK) {
		/* Process 1 first: without a bwrap it would wait for ever. */
		(void)!process_end(&process[BOX_PROCESS_1], 0, NULL);
		(void)!process_end(&process[BOX_PROCESS_MONITOR], 0, NULL);
		box_forget_processes(box);
	}
	return err;
}

enum sbx_err
start_probe(const struct provider_context *context,
    const struct local_slice *slice, struct sbx_why *why)
{
	cleanup_launch struct launch launch;

	launch_begin(&launch, &context->limits, slice, NULL);
	bwrap_begin(&launch.bwrap, &launch.stage);
	bwrap_add(&launch.bwrap, "--");
	bwrap_add(&launch.bwrap, "/usr/bin/true");
	return launch_run(&launch, why);
}

enum sbx_err
start_namespaces(const struct provider_context *context, const struct box *box,
    const struct sockets *sockets, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	cleanup_pipes struct pipes pipes = PIPES_INIT;
	cleanup_launch struct launch launch;
	cleanup_close int root = -1;
	enum sbx_err err;

	launch_begin(&launch, &context->limits, &box->slice, box);
	err = root_open(box, &root, why);
	if (err != SBX_OK)
		return err;
	if (pipe2(pipes.info, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes.block) <
		0 ||
	    pipe2(pipes.ready, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	launch.group = box;
	launch.stage.root = root;
	launch.stage.network = &box->network;
	network_resolver(&box->network, launch.stage.resolver);
	bwrap_begin(&launch.bwrap, &launch.stage);
	inside_put(&launch.bwrap, context, box, launch.stage.resolver);
	add_command(&launch, box, &pipes, sockets);
	err = launch_start(&launch, CHILD_DETACHED, &child, why);
	(void)close(steal_fd(&pipes.info[1]));
	(void)close(steal_fd(&pipes.block[0]));
	(void)close(steal_fd(&pipes.ready[1]));
	return err != SBX_OK ? err : follow(box, &child, &pipes, why);
}
