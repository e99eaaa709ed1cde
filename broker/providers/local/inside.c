/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/inside.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "broker/providers/local/stage.h"
#include "broker/providers/local/text.h"
#include "common/cleanup.h"

#define SMALL_TEXT_MAX 8192
#define INSIDE_PATH 128
#define DEFAULT_PATH \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define OWN "/opt/sandbox-ssh"
#define OWN_SHELL OWN "/shell/sandbox-shell"
#define REPORT "/var/lib/sandbox-report"

static const struct inside host = { .own = OWN,
	.init = OWN "/sandbox-init",
	.sshd = SSHD_PATH,
	.gate = "/var/lib/sandbox-authkeys",
	.refused = REPORT "/" BOX_REFUSED,
	.full = REPORT "/" BOX_FULL,
	.usage = REPORT "/" BOX_USAGE };

static const struct inside kit = { .own = INSIDE_KIT "/box",
	.init = INSIDE_KIT "/box/sandbox-init",
	.sshd = INSIDE_KIT "/libexec/sshd",
	.gate = INSIDE_KIT "/state",
	.refused = INSIDE_KIT "/report/" BOX_REFUSED,
	.full = INSIDE_KIT "/report/" BOX_FULL,
	.usage = INSIDE_KIT "/report/" BOX_USAGE };

const struct inside *
inside_of(const struct box *box)
{
	return *box->root == '\0' ? &host : &kit;
}

/* A file in the folder of its settings. */
static void
name_own(
    const struct inside *in, const char *name, char ret[static INSIDE_PATH])
{
	(void)snprintf(ret, INSIDE_PATH, "%s/%s", in->own, name);
}

static void
put_own(struct bwrap *b, const struct inside *in, const char *mode,
    const char *name, struct view text)
{
	char path[INSIDE_PATH];

	name_own(in, name, path);
	bwrap_text(b, mode, path, text);
}

static void
put_program(struct bwrap *b, const struct provider_context *context,
    const char *name, const char *inside)
{
	char host_path[PATHS_MAX];

	if (paths_join(context->libexec_dir, name, host_path) != SBX_OK)
		b->err = SBX_TOO_LARGE;
	else
		bwrap_copy(b, "0755", inside, host_path);
}

/* machine-id(5): as new as the host key. */
static void
put_machine_id(struct bwrap *b, const struct keypair *pair)
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

/* The kit says by which programs its sshd serves. */
static bool
has_program(const struct provider_context *context, const char *name)
{
	char path[PATHS_MAX];

	return paths_join(context->libexec_dir, name, path) == SBX_OK &&
	    access(path, F_OK) == 0;
}

static void
put_settings(struct bwrap *b, const struct provider_context *context,
    const struct box *box, struct keypair *ret_pair)
{
	const struct inside *in = inside_of(box);
	char host_key[INSIDE_PATH], gate[INSIDE_PATH], conf[INSIDE_PATH],
	    ca[INSIDE_PATH];
	const struct sshd_setup setup = {
		.host_key = host_key,
		.authkeys = gate,
		.authkeys_conf = conf,
		.authkeys_user = "sandbox-authkeys",
		.workspace = INSIDE_WORKSPACE,
		.start_there = context->start_in == START_IN_WORKSPACE,
		.session = in == &kit &&
			has_program(context, "kit/libexec/sshd-session")
		    ? INSIDE_KIT "/libexec/sshd-session"
		    : NULL,
		.auth =
		    in == &kit && has_program(context, "kit/libexec/sshd-auth")
		    ? INSIDE_KIT "/libexec/sshd-auth"
		    : NULL,
	};
	cleanup_buf struct buf text = BUF_INIT(SMALL_TEXT_MAX);
	cleanup_buf struct buf key = BUF_INIT(KEYFILE_MAX);
	enum sbx_err err;

	name_own(in, "host_key", host_key);
	name_own(in, "sandbox-authkeys", gate);
	name_own(in, "authkeys.conf", conf);
	name_own(in, "ca.pub", ca);
	put_program(b, context, "sandbox-init", in->init);
	put_program(b, context, "sandbox-authkeys", gate);
	err = text_sshd_config(&setup, &text, &b->why);
	put_own(b, in, "0644", "sshd_config", buf_view(&text));
	buf_reset(&text);
	text_authkeys_conf(&(struct gate_setup){ box->id, ca, INSIDE_USER,
			       box->issued_after, in->gate, in->refused },
	    &text);
	bwrap_text(b, "0644", conf, buf_view(&text));
	bwrap_text(b, "0644", ca, VIEW_STR(context->ca_lines));
	if (err == SBX_OK)
		err = box_host_key(box, &key, ret_pair, &b->why);
	bwrap_text(b, "0600", host_key, buf_view(&key));
	if (err != SBX_OK)
		b->err = err;
}

/* On the host's root: what else is in /etc, and programs of ours. */
static void
put_on_host(struct bwrap *b, const struct provider_context *context,
    const struct box *box, const char *resolver)
{
	bool there = context->start_in == START_IN_WORKSPACE;
	cleanup_buf struct buf text = BUF_INIT(SMALL_TEXT_MAX);
	cleanup_keypair struct keypair pair;

	for (const struct text_file *f = text_files; f->path != NULL; f++)
		bwrap_text(b, "0644", f->path, VIEW_STR(f->text));
	text_resolv_conf(resolver, &text);
	bwrap_text(b, "0644", "/etc/resolv.conf", buf_view(&text));
	buf_reset(&text);
	text_passwd(there ? OWN_SHELL : "/bin/bash", &text);
	bwrap_text(b, "0644", "/etc/passwd", buf_view(&text));
	buf_reset(&text);
	buf_printf(&text, "%s\n", box->id);
	bwrap_text(b, "0644", "/etc/hostname", buf_view(&text));
	buf_reset(&text);
	text_hosts(box->id, &text);
	bwrap_text(b, "0644", "/etc/hosts", buf_view(&text));
	bwrap_folder(b, "0755", OWN);
	if (there) {
		bwrap_folder(b, "0755", OWN "/shell");
		put_program(b, context, "sandbox-shell", OWN_SHELL);
	}
	put_settings(b, context, box, &pair);
	if (b->err == SBX_OK)
		put_machine_id(b, &pair);
}

static void
put_kit(struct bwrap *b, const struct provider_context *context,
    const struct box *box)
{
	/* The others of the kit are mount points, and belong to its root. */
	static const char *const folders[] = { "applets", "bin", "etc", "lib",
		"libexec" };
	cleanup_buf struct buf text = BUF_INIT(SMALL_TEXT_MAX);
	cleanup_keypair struct keypair pair;

	bwrap_add_three(b, "--setenv", "TZ", "");
	bwrap_add_three(
	    b, "--setenv", "OPENSSL_CONF", INSIDE_KIT "/etc/openssl.cnf");
	bwrap_folder(b, "0755", INSIDE_KIT);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char from[PATHS_MAX + 32], to[INSIDE_PATH];

		(void)snprintf(from, sizeof(from), "%s/kit/%s",
		    context->libexec_dir, folders[i]);
		(void)snprintf(to, sizeof(to), INSIDE_KIT "/%s", folders[i]);
		bwrap_add_three(b, "--ro-bind", from, to);
	}
	bwrap_folder(b, "0755", INSIDE_KIT "/empty");
	bwrap_folder(b, "0755", kit.own);
	text_passwd(INSIDE_KIT "/bin/sandbox-shell", &text);
	put_own(b, &kit, "0644", "passwd", buf_view(&text));
	put_own(b, &kit, "0644", "group", VIEW_STR(text_group));
	/* With the NUL behind it. */
	put_own(
	    b, &kit, "0644", "env", VIEW(DEFAULT_PATH, sizeof(DEFAULT_PATH)));
	put_settings(b, context, box, &pair);
}

void
inside_put(struct bwrap *b, const struct provider_context *context,
    const struct box *box, const char *resolver)
{
	const struct inside *in = inside_of(box);
	char report[INSIDE_PATH];

	if (in == &kit)
		put_kit(b, context, box);
	else
		put_on_host(b, context, box, resolver);
	bwrap_folder(b, "0700", INSIDE_RUN);
	bwrap_add_three(b, "--bind", STAGE_BOX "/" BOX_HOME, INSIDE_HOME);
	bwrap_add_three(b, "--bind", STAGE_BOX "/" BOX_GATE, in->gate);
	(void)snprintf(report, sizeof(report), "%.*s",
	    (int)(strrchr(in->full, '/') - in->full), in->full);
	bwrap_add_three(b, "--bind", STAGE_BOX "/" BOX_REPORT, report);
}

enum sbx_err
inside_check_kit(const struct provider_context *context, struct sbx_why *why)
{
	return has_program(context, "kit/libexec/sshd")
	    ? SBX_OK
	    : sbx_fail(why, SBX_PROGRAM,
		  "a root of its own needs the kit, which is not in %s: make "
		  "it with sandboxd --make-kit %s/kit",
		  context->libexec_dir, context->libexec_dir);
}
