/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/start.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "broker/providers/local/apart.h"
#include "broker/providers/local/bwrap.h"
#include "broker/providers/local/stage.h"
#include "broker/providers/local/text.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"
#include "common/text.h"

#define INFO_MAX 1024
#define SMALL_TEXT_MAX 8192

/* What is seen inside of the sandbox's own folder. */
static const struct {
	const char *from;
	const char *inside;
} parts[] = {
	{ STAGE_BOX "/" BOX_HOME, INSIDE_HOME },
	{ STAGE_BOX "/" BOX_GATE, INSIDE_GATE },
	{ STAGE_BOX "/" BOX_REPORT, INSIDE_REPORT },
};

struct launch {
	struct bwrap bwrap;
	const struct box *box; /* NULL: a probe */
	const struct local_slice *slice;
	struct box_limits limits;
};

static int
launch_body(void *arg, int sync)
{
	struct launch *launch = arg;
	uint8_t by;
	int status;

	status = userns_enter_sandbox(sync, launch->slice, &launch->limits);
	if (status == 0)
		status = stage_make(launch->box == NULL ? -1 : launch->box->dir,
		    &launch->limits);
	if (status != 0)
		return status;
	/* No children before we are in our own control group. */
	if (read(sync, &by, 1) != 1)
		return EX_OSERR;
	launch->limits.memory_by = by;
	if (!limits_of_memory(&launch->limits))
		return child_fail("limits");
	if (chdir("/") < 0)
		return child_fail("/");
	return bwrap_exec(&launch->bwrap);
}

static enum sbx_err
start_child(struct launch *launch, enum child_kind kind, struct child *ret,
    struct sbx_why *why)
{
	char *const *argv;
	enum sbx_err err = bwrap_argv(&launch->bwrap, &argv, why);

	if (err == SBX_OK)
		err = child_start(launch_body, launch, kind, ret, why);
	if (err == SBX_OK)
		err = userns_map_sandbox(ret, launch->slice, why);
	/* Which takes as long as what the child does meanwhile. */
	if (err == SBX_OK && launch->box != NULL)
		apart_put(launch->box, &launch->limits, ret->pid);
	if (err == SBX_OK && !child_tell(ret, launch->limits.memory_by))
		return SBX_UNAVAILABLE;
	return err;
}

enum sbx_err
start_probe(const struct provider_context *context,
    const struct local_slice *slice, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	struct launch launch = { .slice = slice,
		.limits = apart_limits(&context->limits, NULL) };
	char line[320];
	enum sbx_err err;

	bwrap_begin(&launch.bwrap);
	bwrap_add(&launch.bwrap, "--");
	bwrap_add(&launch.bwrap, "/usr/bin/true");
	err = start_child(&launch, CHILD_ATTACHED, &child, why);
	bwrap_free(&launch.bwrap);
	if (err != SBX_OK)
		return err;
	child_last_line(&child, line, sizeof(line));
	if (child_wait(&child) == 0)
		return SBX_OK;
	return sbx_fail(why, SBX_UNAVAILABLE, "%s",
	    *line == '\0' ? "bwrap failed without a word" : line);
}

/* machine-id(5): as new as the host key. */
static void
add_machine_id(struct bwrap *b, const struct keypair *pair)
{
	uint8_t id[crypto_generichash_BYTES_MIN];
	char text[2 * sizeof(id) + 2];

	(void)crypto_generichash(
	    id, sizeof(id), pair->public, sizeof(pair->public), NULL, 0);
	(void)sodium_bin2hex(text, sizeof(text), id, sizeof(id));
	text[2 * sizeof(id)] = '\n';
	text[2 * sizeof(id) + 1] = '\0';
	bwrap_text(b, "0444", "/etc/machine-id", VIEW_STR(text));
}

static void
add_texts(struct bwrap *b, const struct provider_context *context,
    const struct box *box)
{
	bool there = context->start_in == START_IN_WORKSPACE;
	const struct sshd_setup setup = {
		.host_key = INSIDE_OWN "/host_key",
		.authkeys = INSIDE_OWN "/sandbox-authkeys",
		.authkeys_conf = INSIDE_OWN "/authkeys.conf",
		.authkeys_user = "sandbox-authkeys",
		.workspace = INSIDE_WORKSPACE,
		.start_there = there,
	};
	cleanup_buf struct buf text = BUF_INIT(SMALL_TEXT_MAX);
	cleanup_buf struct buf key = BUF_INIT(KEYFILE_MAX);
	cleanup_keypair struct keypair pair;
	enum sbx_err err;

	for (const struct text_file *f = text_files; f->path != NULL; f++)
		bwrap_text(b, "0644", f->path, VIEW_STR(f->text));
	text_passwd(there ? INSIDE_SHELL : "/bin/bash", &text);
	bwrap_text(b, "0644", "/etc/passwd", buf_view(&text));
	buf_reset(&text);
	buf_printf(&text, "%s\n", box->id);
	bwrap_text(b, "0644", "/etc/hostname", buf_view(&text));
	buf_reset(&text);
	text_hosts(box->id, &text);
	bwrap_text(b, "0644", "/etc/hosts", buf_view(&text));

	bwrap_folder(b, "0755", INSIDE_OWN);
	buf_reset(&text);
	err = text_sshd_config(&setup, &text, &b->why);
	bwrap_text(b, "0644", INSIDE_OWN "/sshd_config", buf_view(&text));
	buf_reset(&text);
	text_authkeys_conf(
	    &(struct gate_setup){ box->id, INSIDE_OWN "/ca.pub", INSIDE_USER,
		box->issued_after, INSIDE_GATE, INSIDE_REPORT "/" BOX_REFUSED },
	    &text);
	bwrap_text(b, "0644", INSIDE_OWN "/authkeys.conf", buf_view(&text));
	buf_reset(&text);
	buf_put_text(&text, context->ca_lines);
	bwrap_text(b, "0644", INSIDE_OWN "/ca.pub", buf_view(&text));
	if (err == SBX_OK)
		err = box_host_key(box, &key, &pair, &b->why);
	bwrap_text(b, "0600", INSIDE_OWN "/host_key", buf_view(&key));
	if (err == SBX_OK)
		add_machine_id(b, &pair);
	if (err != SBX_OK)
		b->err = err;
}

static void
add_program(struct bwrap *b, const struct provider_context *context,
    const char *name, const char *inside)
{
	char host[PATHS_MAX];

	if (paths_join(context->libexec_dir, name, host) != SBX_OK)
		b->err = SBX_TOO_LARGE;
	else
		bwrap_copy(b, "0755", inside, host);
}

static void
add_programs(struct bwrap *b, const struct provider_context *context)
{
	add_program(b, context, "sandbox-init", INSIDE_OWN "/sandbox-init");
	add_program(
	    b, context, "sandbox-authkeys", INSIDE_OWN "/sandbox-authkeys");
	if (context->start_in != START_IN_WORKSPACE)
		return;
	bwrap_folder(b, "0755", INSIDE_OWN "/shell");
	add_program(b, context, "sandbox-shell", INSIDE_SHELL);
}

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
add_quota(struct bwrap *b, const struct box_limits *limits)
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
	bwrap_add(b, INSIDE_REPORT "/" BOX_USAGE);
}

static void
add_command(struct bwrap *b, const struct box *box,
    const struct box_limits *limits, const struct pipes *pipes,
    const struct sockets *sockets)
{
	static const char *const command[] = {
		"--",
		SSHD_PATH,
		"-i",
		"-e",
		"-f",
		INSIDE_OWN "/sshd_config",
	};

	bwrap_add(b, "--hostname");
	bwrap_add(b, box->id);
	bwrap_folder(b, "0700", INSIDE_RUN);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		bwrap_add(b, "--bind");
		bwrap_add(b, parts[i].from);
		bwrap_add(b, parts[i].inside);
	}
	bwrap_add(b, "--info-fd");
	bwrap_add_fd(b, pipes->info[1]);
	/* It keeps a reader itself, or it would die of our death halfway. */
	bwrap_inherit(b, pipes->info[0]);
	bwrap_add(b, "--block-fd");
	bwrap_add_fd(b, pipes->block[0]);
	bwrap_add(b, "--");
	bwrap_add(b, INSIDE_OWN "/sandbox-init");
	bwrap_add(b, "--listen-fd");
	bwrap_add_fd(b, sockets->listen);
	bwrap_add(b, "--control-fd");
	bwrap_add_fd(b, sockets->control);
	bwrap_add(b, "--ready-fd");
	bwrap_add_fd(b, pipes->ready[1]);
	bwrap_add(b, "--full");
	bwrap_add(b, INSIDE_REPORT "/" BOX_FULL);
	add_quota(b, limits);
	/* Whose it is is for sandbox-init to say; LOCAL_UID_SANDBOX. */
	bwrap_add(b, "--own");
	bwrap_add(b, "1000:" INSIDE_RUN);
	for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
		bwrap_add(b, command[i]);
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
start_namespaces(const struct provider_context *context, const struct box *box,
    const struct sockets *sockets, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	cleanup_pipes struct pipes pipes = PIPES_INIT;
	struct launch launch = { .box = box,
		.slice = &box->slice,
		.limits = apart_limits(&context->limits, box) };
	enum sbx_err err;

	if (pipe2(pipes.info, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes.block) <
		0 ||
	    pipe2(pipes.ready, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	bwrap_begin(&launch.bwrap);
	add_texts(&launch.bwrap, context, box);
	add_programs(&launch.bwrap, context);
	add_command(&launch.bwrap, box, &launch.limits, &pipes, sockets);
	err = start_child(&launch, CHILD_DETACHED, &child, why);
	bwrap_free(&launch.bwrap);
	(void)close(steal_fd(&pipes.info[1]));
	(void)close(steal_fd(&pipes.block[0]));
	(void)close(steal_fd(&pipes.ready[1]));
	return err != SBX_OK ? err : follow(box, &child, &pipes, why);
}
