/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/text.h"

#include <inttypes.h>
#include <string.h>

const struct text_file text_files[] = {
	/* The numbers are those of local_ids.h. */
	{ "/etc/passwd",
	    "root:*:0:0:root:/root:/usr/sbin/nologin\n"
	    "sshd:*:74:74:sshd:/run/sshd:/usr/sbin/nologin\n"
	    "sandbox-authkeys:*:75:75:login gate:/:/usr/sbin/nologin\n"
	    "sandbox:*:1000:1000:sandbox:/home/sandbox:/bin/bash\n"
	    "nobody:*:65534:65534:not from here:/:/usr/sbin/nologin\n" },
	{ "/etc/group",
	    "root:*:0:\n"
	    "tty:*:5:\n"
	    "sshd:*:74:\n"
	    "sandbox-authkeys:*:75:\n"
	    "sandbox:*:1000:\n"
	    "nogroup:*:65534:\n" },
	{ "/etc/nsswitch.conf",
	    "passwd: files\n"
	    "group: files\n"
	    "hosts: files dns\n"
	    "services: files\n"
	    "protocols: files\n" },
	{ NULL, NULL },
};

/* Every line of sshd_config that does not depend on the sandbox. */
static const char sshd_lines[] =
#include "broker/providers/local/sshd_common.inc"
    "UsePAM no\n"
    "PrintMotd no\n"
    "PrintLastLog no\n"
    "Subsystem sftp internal-sftp\n"
    "PidFile none\n";

/* sshd splits at blanks, and % starts a token in a command. */
static bool
is_plain_path(const char *path)
{
	return path[0] == '/' &&
	    strspn(path,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789/._+,@=:~-") == strlen(path);
}

enum sbx_err
text_sshd_config(
    const struct sshd_setup *setup, struct buf *ret, struct sbx_why *why)
{
	const char *const paths[] = { setup->host_key, setup->authkeys,
		setup->authkeys_conf, setup->workspace };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] != NULL && !is_plain_path(paths[i]))
			return sbx_fail(why, SBX_CONFIG,
			    "%s cannot stand in sshd_config: choose folders "
			    "without blanks, quotes and %%",
			    paths[i]);
	}
	buf_printf(ret, "HostKey %s\n", setup->host_key);
	buf_printf(ret,
	    "AuthorizedKeysCommand %s -c %s --owner %lu %%u %%t %%k\n",
	    setup->authkeys, setup->authkeys_conf,
	    (unsigned long)setup->authkeys_owner);
	buf_printf(ret, "AuthorizedKeysCommandUser %s\n", setup->authkeys_user);
	buf_printf(ret, "PermitRootLogin %s\n",
	    setup->root_login ? "prohibit-password" : "no");
	if (setup->workspace != NULL)
		buf_printf(
		    ret, "SetEnv SANDBOX_WORKSPACE=%s\n", setup->workspace);
	buf_put_text(ret, sshd_lines);
	return buf_error(ret);
}

void
text_authkeys_conf(const struct gate_setup *setup, struct buf *ret)
{
	buf_printf(ret,
	    "sandbox_id = %s\n"
	    "trusted_ca = %s\n"
	    "login_users = %s\n"
	    "issued_after = %" PRIu64 "\n"
	    "last_refusal = %s\n",
	    setup->id, setup->ca, setup->user, setup->issued_after,
	    setup->last_refusal);
	if (setup->state_dir != NULL)
		buf_printf(ret, "state_dir = %s\n", setup->state_dir);
}

void
text_hosts(const char *id, struct buf *ret)
{
	buf_printf(ret,
	    "127.0.0.1 localhost %s\n"
	    "::1 localhost ip6-localhost ip6-loopback\n",
	    id);
}
