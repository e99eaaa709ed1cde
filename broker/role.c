/* SPDX-License-Identifier: ISC */
#include "broker/role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/process.h"
#include "broker/helper/provider_call.h"
#include "broker/serve.h"
#include "broker/helper/signer.h"
#include "common/cleanup.h"
#include "common/log.h"

#define REPORT_MAX 2048

struct child {
	const struct role_kit *kit;
	enum role role;
	int serve_fd;  /* the helper's end; -1 for http */
	int report_fd; /* closed by report() */
	pid_t parent;
};

static uint64_t
unix_time(void)
{
	return (uint64_t)time(NULL);
}

/*
 * Each reports once how its start went: the error as u32, then a text (why,
 * or what it has to tell).
 */

static void
report(struct child *child, enum sbx_err err, const char *text)
{
	cleanup_buf struct buf bytes = BUF_INIT(REPORT_MAX);

	buf_put_u32(&bytes, (uint32_t)err);
	buf_put_cstring(&bytes, text);
	if (file_write_fd(child->report_fd, buf_view(&bytes)) != SBX_OK)
		_exit(EX_OSERR); /* the supervisor is gone */
	(void)close(steal_fd(&child->report_fd));
}

static int
report_failure(struct child *child, enum sbx_err err, const struct sbx_why *why)
{
	report(child, err, sbx_why_text(why, err));
	return sbx_err_exit(err);
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
	err = open_signer(child->kit->settings, &signer, &line, &why);
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

static const struct provider *
provider_of(enum role role)
{
	return providers[role - ROLE_PROVIDER];
}

/*
 * A platform's process reads what strangers answer: it has a uid of its own
 * and a folder, and whoever has that uid must not read the key out of it.
 */
static enum sbx_err
set_apart(const struct broker_settings *s, enum role role,
    struct provider_context *context, struct sbx_why *why)
{
	const struct provider *provider = provider_of(role);
	uid_t uid = (uid_t)(s->uid_range.start + UID_OFFSET_PROVIDER +
	    (unsigned)(role - ROLE_PROVIDER));
	char path[PATHS_MAX];
	enum sbx_err err = process_hide(why);

	if (err == SBX_OK)
		err = paths_join(s->state_dir, provider->name, path);
	if (err == SBX_OK)
		err = file_mkdirs(path, 0700, why);
	if (err == SBX_OK && s->own_uid == 0 &&
	    lchown(path, uid, (gid_t)uid) < 0)
		err = sbx_fail(why, SBX_IO, "cannot change the owner of %s: %s",
		    path, strerror(errno));
	if (err != SBX_OK)
		return err;
	/* Each call says so again: the others go on without it. */
	provider_take_key(provider, context);
	if (*context->key == '\0')
		log_error("[%s]: %s", provider->name, context->no_key.text);
	err = process_drop(uid, why);
	return err != SBX_OK ? err : process_hide(why);
}

static int
provider_main(struct child *child)
{
	const struct role_kit *kit = child->kit;
	/* With the lock: no other sandboxd may meet a call under way. */
	const int fds[] = { child->serve_fd, child->report_fd,
		kit->state_lock };
	static struct provider_context context;
	struct sbx_why why = { "" };
	enum sbx_err err;

	process_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
	/* ^C on a terminal is for the supervisor. */
	(void)setpgid(0, 0);
	outlive_signals();
	unblock_signals();
	err = broker_settings_for_providers(
	    kit->settings, kit->ca_line, &context, &why);
	if (err == SBX_OK && provider_of(child->role)->key != NULL)
		err = set_apart(kit->settings, child->role, &context, &why);
	if (err != SBX_OK)
		return report_failure(child, err, &why);
	report(child, SBX_OK, "");
	err = helper_serve(
	    child->serve_fd, HELPER_FORKING, provider_job, &context);
	sodium_memzero(context.key, sizeof(context.key));
	return sbx_err_exit(err);
}

static void
on_ready(void *context)
{
	report(context, SBX_OK, "");
}

static int
http_main(struct child *child)
{
	const struct role_kit *kit = child->kit;
	const struct broker_settings *s = kit->settings;
	/*
	 * Without the lock: a descriptor of it is enough to unlock it, and
	 * what could meet another sandboxd is the provider process, not us.
	 */
	int fds[3 + PROVIDERS_MAX] = { child->report_fd, kit->listen_fd,
		kit->signer_fd };
	struct serve serve = { s, kit->listen_fd, kit->signer_fd,
		kit->provider_fd, kit->ca_line, on_ready, child };
	struct sbx_why why = { "" };
	enum sbx_err err;

	memcpy(fds + 3, kit->provider_fd, sizeof(kit->provider_fd));
	process_keep_fds(fds, sizeof(fds) / sizeof(fds[0]));
	(void)umask(077);
	process_raise_files();
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

static const struct {
	const char *name, *title;
	int (*main)(struct child *child);
} roles[] = {
	[ROLE_SIGNER] = { "signer", "sandboxd:signer", signer_main },
	[ROLE_HTTP] = { "http", "sandboxd:http", http_main },
	[ROLE_PROVIDER] = { "provider", "sandboxd:prov", provider_main },
};

static enum role
kind_of(enum role role)
{
	return role < ROLE_PROVIDER ? role : ROLE_PROVIDER;
}

bool
role_is_wanted(const struct role_kit *kit, enum role role)
{
	struct provider_context *context;
	const struct provider *provider;
	bool wanted;

	for (size_t i = 0;
	     role >= ROLE_PROVIDER && i <= (size_t)(role - ROLE_PROVIDER);
	     i++) {
		if (providers[i] == NULL)
			return false;
	}
	provider = role < ROLE_PROVIDER ? NULL : provider_of(role);
	if (provider == NULL || provider->key == NULL)
		return true;
	context = calloc(1, sizeof(*context));
	if (context == NULL)
		return false;
	context->daytona = kit->settings->daytona;
	wanted = provider_has_key(provider, context);
	free(context);
	return wanted;
}

const char *
role_name(enum role role)
{
	return roles[kind_of(role)].name;
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

enum sbx_err
role_start(const struct role_kit *kit, enum role role, int serve_fd,
    pid_t *ret_pid, char ret_text[static PROVIDER_LINE], struct sbx_why *why)
{
	struct child child = { kit, role, serve_fd, -1, getpid() };
	cleanup_close int report_fd = -1;
	int pipe_fds[2];
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	report_fd = pipe_fds[0];
	child.report_fd = pipe_fds[1];
	pid = fork();
	if (pid == 0) {
		process_title(roles[kind_of(role)].title);
		leave_terminal(kit->log_fd);
		exit(roles[kind_of(role)].main(&child));
	}
	(void)close(child.report_fd);
	if (pid < 0)
		return sbx_fail(
		    why, SBX_NOMEM, "cannot fork: %s", strerror(errno));
	*ret_pid = pid;
	return take_report(report_fd, role_name(role), ret_text, why);
}
