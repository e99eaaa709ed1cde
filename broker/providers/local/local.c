/* SPDX-License-Identifier: ISC */
/*
 * The provider of sandboxes on this machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "broker/providers/local/apart.h"
#include "broker/providers/local/control.h"
#include "broker/providers/local/guests.h"
#include "broker/providers/local/home.h"
#include "broker/providers/local/inside.h"
#include "broker/providers/local/make.h"
#include "broker/providers/local/network.h"
#include "broker/providers/local/start.h"
#include "broker/providers/local/temporary.h"
#include "common/cleanup.h"

/* sandbox-init needs its 2 s; after these it hangs. */
#define STOP_GRACE_MS 5000
/* From the end of process 1 to the end of the bwrap that waits for it. */
#define MONITOR_GRACE_MS 1000
#define BACKLOG 128

#define DIGEST_USED 8 /* of the 16 that it has at least */
#define SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)NULL)->sun_path)

/*
 * ID.INCARNATION, so that nobody takes another sandbox's for this one's; for a
 * long id below a long home a digest of that, which is no id.
 */
static enum sbx_err
socket_path(const struct provider_context *context, const char *id,
    uint64_t incarnation, char ret[static SOCKET_PATH_MAX], struct sbx_why *why)
{
	static const char form[] = "%s/sandboxes/%s.sock";
	uint8_t digest[crypto_generichash_BYTES_MIN];
	char name[NAME_ID_MAX + 20];
	int len = snprintf(name, sizeof(name), "%s", id);

	if (incarnation != 0)
		len += snprintf(name + len, sizeof(name) - (size_t)len,
		    ".%016" PRIx64, incarnation);
	if (snprintf(ret, SOCKET_PATH_MAX, form, context->runtime_dir, name) <
	    (int)SOCKET_PATH_MAX)
		return SBX_OK;
	(void)crypto_generichash(digest, sizeof(digest), (const uint8_t *)name,
	    (size_t)len, NULL, 0);
	name[0] = '.';
	(void)sodium_bin2hex(name + 1, sizeof(name) - 1, digest, DIGEST_USED);
	if (snprintf(ret, SOCKET_PATH_MAX, form, context->runtime_dir, name) <
	    (int)SOCKET_PATH_MAX)
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "no socket's name fits below %s: set a shorter runtime_dir in "
	    "sandboxd.conf",
	    context->runtime_dir);
}

static void
remove_socket(const struct provider_context *context, const struct box *box)
{
	char path[SOCKET_PATH_MAX];

	if (socket_path(context, box->id, box->incarnation, path, NULL) ==
	    SBX_OK)
		(void)unlink(path);
}

static enum sbx_err
bind_socket(const struct provider_context *context, const struct box *box,
    const struct provider_audience *audience, int *ret, struct sbx_why *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	cleanup_close int fd = -1;
	char dir[PATHS_MAX];
	enum sbx_err err =
	    socket_path(context, box->id, box->incarnation, sun.sun_path, why);
	mode_t saved;
	int bound;

	if (err == SBX_OK)
		err = paths_join(context->runtime_dir, "sandboxes", dir);
	if (err == SBX_OK)
		err = file_mkdirs(dir, 0711, why);
	if (err != SBX_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a socket: %s", strerror(errno));
	(void)unlink(sun.sun_path); /* of a sandbox that died by itself */
	/* Nobody else shall keep its connections busy, or try its sshd. */
	saved = umask(0177);
	bound = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	(void)umask(saved);
	if (bound == 0 && geteuid() == 0)
		bound = lchown(sun.sun_path, (uid_t)box->owner, (gid_t)-1);
	if (bound < 0 || listen(fd, BACKLOG) < 0)
		return sbx_fail(why, SBX_IO, "cannot listen on %s: %s",
		    sun.sun_path, strerror(errno));
	/* Where there are no such lists its owner gets in all the same. */
	if (geteuid() == 0)
		(void)!guests_admit(sun.sun_path, audience, NULL);
	*ret = steal_fd(&fd);
	return SBX_OK;
}

/* What has to be there, told before anything is made. */
static enum sbx_err
check_programs(const struct provider_context *context, struct sbx_why *why)
{
	static const char *const ours[] = { "sandbox-init",
		"sandbox-authkeys" };

	if (access(SSHD_PATH, X_OK) < 0)
		return sbx_fail(why, SBX_PROGRAM,
		    "%s is missing; on Debian: apt-get install openssh-server",
		    SSHD_PATH);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		char path[PATHS_MAX];
		enum sbx_err err =
		    paths_join(context->libexec_dir, ours[i], path);

		if (err != SBX_OK)
			return err;
		if (access(path, X_OK) < 0)
			return sbx_fail(why, SBX_PROGRAM,
			    "cannot run %s: %s: install sandbox-ssh completely",
			    path, strerror(errno));
	}
	return SBX_OK;
}

static enum sbx_err local_kill(const struct provider_context *context,
    const char *id, struct sbx_why *why);

static enum sbx_err
local_create(const struct provider_context *context,
    const struct provider_spec *spec, struct provider_status *ret,
    struct sbx_why *why)
{
	char path[SOCKET_PATH_MAX];
	enum isolation isolation;
	enum sbx_err err =
	    socket_path(context, spec->id, spec->incarnation, path, why);

	if (err == SBX_OK)
		err = check_programs(context, why);
	if (err == SBX_OK && *spec->root != '\0')
		err = inside_check_kit(context, why);
	if (err == SBX_OK)
		err = network_check(&spec->network, why);
	if (err == SBX_OK)
		err = make_box(context, spec, start_probe, &isolation, why);
	if (err == SBX_OK && isolation == ISOLATION_NONE) {
		err = isolation_permit(isolation, spec->owner, geteuid(),
		    context->isolation_wanted, why);
		if (err == SBX_OK)
			err = plain_check(context, why);
		if (err != SBX_OK)
			(void)!local_kill(context, spec->id, NULL);
	}
	if (err != SBX_OK)
		return err;
	*ret = (struct provider_status){ .state = PROVIDER_STOPPED,
		.isolation = isolation,
		.ephemeral = spec->ephemeral };
	memcpy(ret->root, spec->root, sizeof(ret->root));
	ret->network = spec->network.full;
	ret->limited = spec->network.allow_count > 0;
	return SBX_OK;
}

static start_box *const start_as[ISOLATION_COUNT] = {
	[ISOLATION_NONE] = start_plain,
	[ISOLATION_NAMESPACES] = start_namespaces,
};

/* One that was made for somebody whom we would refuse it today. */
static enum sbx_err
permit(const struct provider_context *context, const struct box *box,
    struct sbx_why *why)
{
	return isolation_permit(box->isolation, box->owner, geteuid(),
	    context->isolation_wanted, why);
}

static bool
listens(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 &&
	    (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		errno == EAGAIN);
}

/* Who waits for an answer at the old one is hung up on. */
static enum sbx_err
replace_socket(const struct provider_context *context, const struct box *box,
    const struct provider_audience *audience, struct sbx_why *why)
{
	cleanup_close int socket = -1;
	enum sbx_err err = bind_socket(context, box, audience, &socket, why);

	if (err == SBX_OK)
		err = control_replace_listener(box, socket, why);
	if (err != SBX_OK)
		remove_socket(context, box);
	return err;
}

/* Somebody may have emptied our runtime folder while it runs. */
static enum sbx_err
repair(const struct provider_context *context, const struct box *box,
    const struct provider_audience *audience, struct sbx_why *why)
{
	char path[SOCKET_PATH_MAX];
	enum sbx_err err =
	    socket_path(context, box->id, box->incarnation, path, why);

	if (err == SBX_OK && !listens(path))
		err = replace_socket(context, box, audience, why);
	else if (err == SBX_OK && geteuid() == 0)
		(void)!guests_admit(path, audience, NULL);
	if (err == SBX_OK && box->isolation == ISOLATION_NONE)
		err = plain_repair(context, box, why);
	return err;
}

/* What a running one has outside of its folder. */
static void
clean(const struct provider_context *context, const struct box *box)
{
	apart_clean(box);
	remove_socket(context, box);
	plain_clean(context, box->id);
}

/* The last stop may have been cut short, or there was none. */
static enum sbx_err
ready_home(const struct box *box, struct sbx_why *why)
{
	enum sbx_err err = box->ephemeral ? home_remove(box, why) : SBX_OK;

	return err != SBX_OK ? err : home_make(box, why);
}

static enum sbx_err
local_start(const struct provider_context *context, const char *id,
    const struct provider_audience *audience, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	cleanup_close int listen = -1, control = -1;
	struct process process[BOX_PROCESSES];
	enum sbx_err err = box_open(context, id, &box, why);

	if (err == SBX_OK)
		err = permit(context, &box, why);
	if (err != SBX_OK)
		return err;
	box_processes(&box, process);
	if (process[BOX_PROCESS_1].pid != 0)
		return repair(context, &box, audience, why);
	apart_clean(&box); /* of one that died by itself */
	err = ready_home(&box, why);
	if (err == SBX_OK)
		err = bind_socket(context, &box, audience, &listen, why);
	if (err == SBX_OK)
		err = control_bind(&box, &control, why);
	if (err == SBX_OK)
		err = start_as[box.isolation](
		    context, &box, &(struct sockets){ listen, control }, why);
	if (err != SBX_OK)
		clean(context, &box);
	return err;
}

/* Without namespaces it is a shell of root's, or an ordinary user's own. */
static enum sbx_err
local_admit(const struct provider_context *context, const char *id,
    const struct provider_audience *audience, bool end, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	struct process process[BOX_PROCESSES];
	char path[SOCKET_PATH_MAX];
	enum sbx_err err = box_open(context, id, &box, why);

	if (err == SBX_OK &&
	    (geteuid() != 0 || box.isolation != ISOLATION_NAMESPACES))
		err =
		    sbx_fail(why, SBX_STATE, "sandbox %s cannot be shared", id);
	if (err == SBX_OK)
		err = socket_path(context, id, box.incarnation, path, why);
	if (err != SBX_OK)
		return err;
	box_processes(&box, process);
	if (process[BOX_PROCESS_1].pid == 0)
		return SBX_OK;
	if (!end)
		return guests_admit(path, audience, why);
	/* Nobody is accepted any more of whom it does not know. */
	err = replace_socket(context, &box, audience, why);
	if (err == SBX_OK)
		err = guests_end(
		    &box, process[BOX_PROCESS_1].pid, path, audience, why);
	return err;
}

/* sandbox-init(8): SIGINT gives less time than SIGTERM. */
static enum sbx_err
local_quit(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	struct process process[BOX_PROCESSES];
	enum sbx_err err = box_open(context, id, &box, why);

	if (err != SBX_OK)
		return err;
	box_processes(&box, process);
	process_signal(&process[BOX_PROCESS_1], SIGINT);
	return SBX_OK;
}

static enum sbx_err
local_stop(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	struct process process[BOX_PROCESSES];
	const struct process *monitor = &process[BOX_PROCESS_MONITOR];
	enum sbx_err err = box_open(context, id, &box, why);

	if (err != SBX_OK)
		return err;
	box_processes(&box, process);
	err = process_end(&process[BOX_PROCESS_1], STOP_GRACE_MS, why);
	if (err == SBX_OK && !process_wait(monitor, MONITOR_GRACE_MS))
		err = process_end(monitor, 0, why);
	if (err != SBX_OK)
		return err;
	box_forget_processes(&box);
	clean(context, &box);
	return box.ephemeral ? home_remove(&box, why) : SBX_OK;
}

static enum sbx_err
local_kill(
    const struct provider_context *context, const char *id, struct sbx_why *why)
{
	enum sbx_err err = local_stop(context, id, why);

	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	return unmake_box(context, id, why);
}

static enum sbx_err
local_inspect(const struct provider_context *context, const char *id,
    struct provider_status *ret, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	struct process process[BOX_PROCESSES];
	enum sbx_err err = box_open(context, id, &box, why);

	if (err == SBX_NOT_FOUND) {
		*ret = (struct provider_status){ .state = PROVIDER_GONE };
		return SBX_OK;
	}
	if (err != SBX_OK)
		return err;
	box_processes(&box, process);
	ret->isolation = box.isolation;
	ret->ephemeral = box.ephemeral;
	memcpy(ret->root, box.root, sizeof(ret->root));
	ret->network = box.network.full;
	ret->limited = box.network.allow_count > 0;
	ret->refusal = box_refusal(&box);
	if (process[BOX_PROCESS_1].pid != 0)
		ret->full = box_full(&box);
	ret->state = process[BOX_PROCESS_1].pid != 0 ? PROVIDER_RUNNING
						     : PROVIDER_STOPPED;
	return SBX_OK;
}

static enum sbx_err
local_usage(const struct provider_context *context, const char *id,
    struct provider_usage *ret, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	struct process process[BOX_PROCESSES];
	struct provider_usage usage = { { { false } } };
	enum sbx_err err = box_open(context, id, &box, why);

	if (err != SBX_OK)
		return err;
	box_processes(&box, process);
	if (process[BOX_PROCESS_1].pid != 0)
		apart_usage(&box, process[BOX_PROCESS_1].pid, &usage);
	*ret = usage;
	return SBX_OK;
}

static enum sbx_err
local_sessions(const struct provider_context *context, const char *id,
    struct provider_sessions *ret, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	enum sbx_err err = box_open(context, id, &box, why);

	return err != SBX_OK ? err : control_sessions(&box, ret, why);
}

static enum sbx_err
local_tell(const struct provider_context *context, const char *id,
    const char *text, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	enum sbx_err err = box_open(context, id, &box, why);

	return err != SBX_OK ? err : control_tell(&box, text, why);
}

static enum sbx_err
put_host_key(
    const struct box *box, char ret[static PROVIDER_LINE], struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf line = BUF_INIT(PROVIDER_LINE - 1);
	cleanup_keypair struct keypair pair;
	enum sbx_err err = box_host_key(box, &text, &pair, why);

	if (err != SBX_OK)
		return err;
	key_put_ed25519(pair.public, &blob);
	key_put_line(buf_view(&blob), NULL, &line);
	if (buf_error(&line) != SBX_OK)
		return buf_error(&line);
	(void)snprintf(ret, PROVIDER_LINE, "%s", buf_text(&line));
	return SBX_OK;
}

static enum sbx_err
local_credentials(const struct provider_context *context, const char *id,
    const char *refused, struct provider_access *ret, struct sbx_why *why)
{
	cleanup_box struct box box = BOX_INIT;
	struct provider_access access = { .host_key_count = 1,
		.endpoint_count = 1 };
	char path[SOCKET_PATH_MAX];
	enum sbx_err err = box_open(context, id, &box, why);

	(void)refused;
	if (err == SBX_OK)
		err = permit(context, &box, why);
	if (err == SBX_OK)
		err = put_host_key(&box, access.host_key[0], why);
	if (err == SBX_OK)
		err = socket_path(context, id, box.incarnation, path, why);
	if (err != SBX_OK)
		return err;
	(void)snprintf(access.endpoint[0], PROVIDER_LINE, "unix:%s", path);
	if (box.isolation == ISOLATION_NONE)
		plain_user(access.user, sizeof(access.user));
	else
		(void)snprintf(
		    access.user, sizeof(access.user), "%s", INSIDE_USER);
	*ret = access;
	return SBX_OK;
}

/* What is told of one holds until it is stopped. */
static int
local_watch(const struct provider_context *context, const char *id)
{
	cleanup_box struct box box = BOX_INIT;
	struct process process[BOX_PROCESSES];

	if (box_open(context, id, &box, NULL) != SBX_OK)
		return -1;
	box_processes(&box, process);
	return process_watch(&process[BOX_PROCESS_1]);
}

const struct provider provider_local = {
	.name = "local",
	.create = local_create,
	.start = local_start,
	.admit = local_admit,
	.quit = local_quit,
	.stop = local_stop,
	.kill = local_kill,
	.inspect = local_inspect,
	.usage = local_usage,
	.sessions = local_sessions,
	.tell = local_tell,
	.credentials = local_credentials,
	.watch = local_watch,
	.sweep = temporary_sweep,
};
