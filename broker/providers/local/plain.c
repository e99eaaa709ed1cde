/* SPDX-License-Identifier: ISC */
/*
 * isolation = none: sandbox-init and sshd are processes of the host, and
 * whoever logs in is the account that sandboxd runs as.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/providers/local/apart.h"
#include "broker/providers/local/start.h"
#include "broker/providers/local/text.h"
#include "broker/providers/local/tree.h"
#include "common/cleanup.h"
#include "common/text.h"

#define PROGRAM_MAX (64 * 1024 * 1024)
#define CONFIG_MAX 8192
#define ID_FOLDER_LEN (NAME_ID_MAX + 4)

void
plain_user(char *ret, size_t size)
{
	const struct passwd *pw = getpwuid(geteuid());

	(void)snprintf(ret, size, "%s", pw == NULL ? "" : pw->pw_name);
}

/* Do path and every folder above it, as they really are, satisfy judge? */
static bool
all_the_way(const char *path, bool (*judge)(const struct stat *st))
{
	cleanup_free char *real = realpath(path, NULL);
	struct stat st;

	for (;;) {
		char *slash = real == NULL ? NULL : strrchr(real, '/');

		if (slash == NULL || stat(real, &st) < 0 || !judge(&st))
			return false;
		if (slash == real)
			return stat("/", &st) == 0 && judge(&st);
		*slash = '\0';
	}
}

/*
 * What sshd demands of an AuthorizedKeysCommand; and whoever runs it must
 * get there.
 */
static bool
is_safe(const struct stat *st)
{
	return st->st_uid == 0 && (st->st_mode & 022) == 0 &&
	    (st->st_mode & 001) != 0;
}

static enum sbx_err
copy_program(
    const char *from, const char *dir, const char *name, struct sbx_why *why)
{
	cleanup_buf struct buf program = BUF_INIT(PROGRAM_MAX);
	cleanup_close int dirfd = -1, fd = -1;
	enum sbx_err err = file_mkdirs(dir, 0755, why);

	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, dir, &dirfd, why);
	if (err != SBX_OK)
		return err;
	fd = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || file_read_fd(fd, &program) != SBX_OK)
		return sbx_fail(
		    why, SBX_IO, "cannot read %s: %s", from, strerror(errno));
	return file_write_atomic(dirfd, name, 0755, buf_view(&program), why);
}

/* A sandbox-authkeys that sshd is willing to run. */
static enum sbx_err
find_authkeys(const struct provider_context *context,
    char ret[static PATHS_MAX], struct sbx_why *why)
{
	char installed[PATHS_MAX], dir[PATHS_MAX], copy[PATHS_MAX];
	enum sbx_err err =
	    paths_join(context->libexec_dir, "sandbox-authkeys", installed);

	if (err == SBX_OK)
		err = paths_join(context->state_dir, "libexec", dir);
	if (err == SBX_OK)
		err = paths_join(dir, "sandbox-authkeys", copy);
	if (err != SBX_OK)
		return err;
	if (all_the_way(installed, is_safe)) {
		memcpy(ret, installed, PATHS_MAX);
		return SBX_OK;
	}
	if (geteuid() == 0) {
		err = copy_program(installed, dir, "sandbox-authkeys", why);
		if (err != SBX_OK)
			return err;
		if (all_the_way(copy, is_safe)) {
			memcpy(ret, copy, PATHS_MAX);
			return SBX_OK;
		}
		(void)unlink(copy);
		(void)rmdir(dir);
	}
	return sbx_fail(why, SBX_CONFIG,
	    "without isolation sshd would have to run %s, which it does only "
	    "from folders that root alone can write: build sandbox-ssh with "
	    "another --prefix, and run make install as root",
	    installed);
}

enum sbx_err
plain_check(const struct provider_context *context, struct sbx_why *why)
{
	char path[PATHS_MAX], user[64];
	enum sbx_err err = paths_join(context->runtime_dir, "sandboxes", path);

	if (err == SBX_OK)
		err = file_mkdirs(path, 0711, why);
	if (err != SBX_OK)
		return err;
	plain_user(user, sizeof(user));
	if (*user == '\0')
		return sbx_fail(why, SBX_CONFIG,
		    "isolation none needs an account for uid %lu",
		    (unsigned long)geteuid());
	return find_authkeys(context, path, why);
}

/* RUNTIME/sandboxes/ID.d, for what sandbox-authkeys reads; others get there. */
static enum sbx_err
open_runtime(
    const struct provider_context *context, int *ret, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err = paths_join(context->runtime_dir, "sandboxes", path);

	return err != SBX_OK ? err : file_open_dir(AT_FDCWD, path, ret, why);
}

static void
folder_of(const char *id, char ret[static ID_FOLDER_LEN])
{
	/* No id has a dot in it. */
	(void)snprintf(ret, ID_FOLDER_LEN, "%s.d", id);
}

void
plain_clean(const struct provider_context *context, const char *id)
{
	cleanup_close int runtime = -1;
	char folder[ID_FOLDER_LEN];

	folder_of(id, folder);
	if (open_runtime(context, &runtime, NULL) == SBX_OK)
		(void)!tree_remove(runtime, folder, NULL);
}

/* Paths of the files that sshd is told of. */
struct plain {
	char user[64];
	char authkeys[PATHS_MAX];
	char gate_dir[PATHS_MAX];
	char gate_conf[PATHS_MAX];
	char box_dir[PATHS_MAX];
	char host_key[PATHS_MAX];
	char workspace[PATHS_MAX];
	char refused[PATHS_MAX];
	char full[PATHS_MAX];
	char sshd_config[PATHS_MAX];
	char init[PATHS_MAX];
};

static enum sbx_err
name_files(const struct provider_context *context, const struct box *box,
    struct plain *ret, struct sbx_why *why)
{
	char folder[ID_FOLDER_LEN + 16];
	bool ok;

	plain_user(ret->user, sizeof(ret->user));
	(void)snprintf(folder, sizeof(folder), "sandboxes/%s", box->id);
	ok = paths_join(context->state_dir, folder, ret->box_dir) == SBX_OK;
	(void)snprintf(folder, sizeof(folder), "sandboxes/%s.d", box->id);
	ok = ok &&
	    paths_join(context->runtime_dir, folder, ret->gate_dir) == SBX_OK;
	ok = ok &&
	    paths_join(ret->gate_dir, "authkeys.conf", ret->gate_conf) ==
		SBX_OK;
	ok =
	    ok && paths_join(ret->box_dir, "host_key", ret->host_key) == SBX_OK;
	ok = ok &&
	    paths_join(ret->box_dir, BOX_WORKSPACE, ret->workspace) == SBX_OK;
	ok = ok &&
	    paths_join(ret->box_dir, BOX_REPORT "/" BOX_REFUSED,
		ret->refused) == SBX_OK;
	ok = ok &&
	    paths_join(ret->box_dir, BOX_REPORT "/" BOX_FULL, ret->full) ==
		SBX_OK;
	ok = ok &&
	    paths_join(ret->box_dir, "sshd_config", ret->sshd_config) == SBX_OK;
	ok = ok &&
	    paths_join(context->libexec_dir, "sandbox-init", ret->init) ==
		SBX_OK;
	if (!ok)
		return sbx_fail(why, SBX_CONFIG,
		    "the name of the state or runtime folder is too long");
	return find_authkeys(context, ret->authkeys, why);
}

static enum sbx_err
write_gate(const struct provider_context *context, const struct box *box,
    const struct plain *plain, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(CONFIG_MAX);
	cleanup_close int runtime = -1, fd = -1;
	char folder[ID_FOLDER_LEN], ca[PATHS_MAX];
	enum sbx_err err = paths_join(plain->gate_dir, "ca.pub", ca);

	folder_of(box->id, folder);
	if (err == SBX_OK)
		err = open_runtime(context, &runtime, why);
	if (err == SBX_OK)
		err = tree_remove(runtime, folder, why);
	if (err != SBX_OK)
		return err;
	if (mkdirat(runtime, folder, 0755) < 0 ||
	    fchmodat(runtime, folder, 0755, 0) < 0)
		return sbx_fail(why, SBX_IO, "cannot create folder %s: %s",
		    folder, strerror(errno));
	err = file_open_dir(runtime, folder, &fd, why);
	if (err != SBX_OK)
		return err;
	text_authkeys_conf(
	    &(struct gate_setup){ box->id, ca, plain->user, box->issued_after,
		/* state_dir= */ NULL, plain->refused },
	    &text);
	err =
	    file_write_atomic(fd, "authkeys.conf", 0644, buf_view(&text), why);
	if (err != SBX_OK)
		return err;
	buf_reset(&text);
	buf_put_text(&text, context->ca_lines);
	return file_write_atomic(fd, "ca.pub", 0644, buf_view(&text), why);
}

enum sbx_err
plain_repair(const struct provider_context *context, const struct box *box,
    struct sbx_why *why)
{
	struct plain plain;
	enum sbx_err err = name_files(context, box, &plain, why);

	if (err != SBX_OK || access(plain.gate_conf, F_OK) == 0)
		return err;
	return write_gate(context, box, &plain, why);
}

static enum sbx_err
write_sshd_config(
    const struct plain *plain, const struct box *box, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(CONFIG_MAX);
	const struct sshd_setup setup = {
		.host_key = plain->host_key,
		.authkeys = plain->authkeys,
		.authkeys_conf = plain->gate_conf,
		/* No other account: whoever shares it could answer for it. */
		.authkeys_user = plain->user,
		.authkeys_owner = geteuid(),
		.workspace = plain->workspace,
		.root_login = geteuid() == 0,
	};
	enum sbx_err err = text_sshd_config(&setup, &text, why);

	return err != SBX_OK ? err
			     : file_write_atomic(box->dir, "sshd_config", 0600,
				   buf_view(&text), why);
}

/*
 * Ask the gate about a plain key, our own: it has no say about those, but
 * reads its settings first, and tells what it finds wrong with them.
 */
static enum sbx_err
try_gate(const struct plain *plain, const struct box *box, struct sbx_why *why)
{
	cleanup_buf struct buf key = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf text = BUF_INIT(PROVIDER_LINE);
	cleanup_keypair struct keypair pair;
	struct sbx_why said = { "" };
	enum sbx_err err = box_host_key(box, &key, &pair, why);

	if (err != SBX_OK)
		return err;
	key_put_ed25519(pair.public, &blob);
	text_base64_encode(buf_view(&blob), &text);
	err = buf_error(&text);
	if (err == SBX_OK) {
		char owner[24];
		const char *const argv[] = { plain->authkeys, "-c",
			plain->gate_conf, "--owner", owner, plain->user,
			"ssh-ed25519", buf_text(&text), NULL };

		(void)snprintf(
		    owner, sizeof(owner), "%lu", (unsigned long)geteuid());
		err = child_run((char *const *)argv, &said);
	}
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "without namespaces nobody could log in: %s",
	    sbx_why_text(&said, err));
}

struct plain_launch {
	const struct plain *plain;
	const struct sockets *sockets;
	int ready;
};

static int
plain_body(void *arg, int sync)
{
	const struct plain_launch *launch = arg;
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		"/sbin:/bin",
		NULL,
	};
	char listen_fd[16], control_fd[16], ready_fd[16], go;
	const char *const argv[] = { launch->plain->init, "--listen-fd",
		listen_fd, "--control-fd", control_fd, "--ready-fd", ready_fd,
		"--full", launch->plain->full, "--", SSHD_PATH, "-i", "-e",
		"-f", launch->plain->sshd_config, NULL };

	(void)snprintf(
	    listen_fd, sizeof(listen_fd), "%d", launch->sockets->listen);
	(void)snprintf(
	    control_fd, sizeof(control_fd), "%d", launch->sockets->control);
	(void)snprintf(ready_fd, sizeof(ready_fd), "%d", launch->ready);
	/* Not before we are recorded; never if nobody is there to do it. */
	if (read(sync, &go, 1) != 1)
		return EX_OSERR;
	if (chdir("/") < 0 || fcntl(launch->sockets->listen, F_SETFD, 0) < 0 ||
	    fcntl(launch->sockets->control, F_SETFD, 0) < 0 ||
	    fcntl(launch->ready, F_SETFD, 0) < 0)
		return child_fail("cannot prepare sandbox-init");
	(void)umask(022);
	(void)execve(argv[0], (char *const *)argv, (char *const *)environment);
	(void)child_fail(argv[0]);
	return CHILD_EXEC_FAILED;
}

enum sbx_err
start_plain(const struct provider_context *context, const struct box *box,
    const struct sockets *sockets, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	cleanup_close int ready = -1, theirs = -1;
	struct process process[BOX_PROCESSES] = { { 0, 0 } };
	struct plain_launch launch = { .sockets = sockets };
	struct box_limits limits = apart_limits(&context->limits, box);
	struct plain plain;
	enum sbx_err err = name_files(context, box, &plain, why);
	int ends[2];

	if (err == SBX_OK)
		err = write_gate(context, box, &plain, why);
	if (err == SBX_OK)
		err = write_sshd_config(&plain, box, why);
	if (err == SBX_OK)
		err = try_gate(&plain, box, why);
	if (err != SBX_OK)
		return err;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	ready = ends[0];
	theirs = ends[1];
	launch.plain = &plain;
	launch.ready = theirs;
	err = child_start(plain_body, &launch, CHILD_DETACHED, &child, why);
	(void)close(steal_fd(&theirs));
	if (err == SBX_OK)
		err = process_identify(child.pid, &process[BOX_PROCESS_1]);
	if (err == SBX_OK)
		err = box_put_processes(box, process, why);
	if (err == SBX_OK)
		apart_put(box, &limits, child.pid);
	if (err == SBX_OK && !child_tell(&child, 0))
		err = SBX_UNAVAILABLE;
	if (err == SBX_OK)
		err = start_await(&child, ready, why);
	if (err != SBX_OK) {
		(void)!process_end(&process[BOX_PROCESS_1], 0, NULL);
		box_forget_processes(box);
	}
	return err;
}
