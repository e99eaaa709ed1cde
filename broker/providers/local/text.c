/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/text.h"

#include <inttypes.h>
#include <string.h>

#include "broker/providers/local/inside.h"
#include "broker/providers/local/loopback.h"

/* Those of local/ids.h, and what Debian has everywhere. */
static const char accounts[] =
    "root:*:0:0:root:/root:/usr/sbin/nologin\n"
    "daemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "bin:*:2:2:bin:/bin:/usr/sbin/nologin\n"
    "sys:*:3:3:sys:/dev:/usr/sbin/nologin\n"
    "sync:*:4:65534:sync:/bin:/usr/sbin/nologin\n"
    "games:*:5:60:games:/usr/games:/usr/sbin/nologin\n"
    "man:*:6:12:man:/var/cache/man:/usr/sbin/nologin\n"
    "lp:*:7:7:lp:/var/spool/lpd:/usr/sbin/nologin\n"
    "mail:*:8:8:mail:/var/mail:/usr/sbin/nologin\n"
    "news:*:9:9:news:/var/spool/news:/usr/sbin/nologin\n"
    "uucp:*:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin\n"
    "proxy:*:13:13:proxy:/bin:/usr/sbin/nologin\n"
    "www-data:*:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "backup:*:34:34:backup:/var/backups:/usr/sbin/nologin\n"
    "list:*:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin\n"
    "irc:*:39:39:ircd:/run/ircd:/usr/sbin/nologin\n"
    "sshd:*:74:74:sshd:/run/sshd:/usr/sbin/nologin\n"
    "sandbox-authkeys:*:75:75:login gate:/:/usr/sbin/nologin\n"
    "nobody:*:65534:65534:not from here:/:/usr/sbin/nologin\n";

const char text_group[] = "root:*:0:\n"
			  "daemon:*:1:\n"
			  "bin:*:2:\n"
			  "sys:*:3:\n"
			  "adm:*:4:\n"
			  "tty:*:5:\n"
			  "disk:*:6:\n"
			  "lp:*:7:\n"
			  "mail:*:8:\n"
			  "news:*:9:\n"
			  "uucp:*:10:\n"
			  "man:*:12:\n"
			  "proxy:*:13:\n"
			  "kmem:*:15:\n"
			  "dialout:*:20:\n"
			  "fax:*:21:\n"
			  "voice:*:22:\n"
			  "cdrom:*:24:\n"
			  "floppy:*:25:\n"
			  "tape:*:26:\n"
			  "sudo:*:27:\n"
			  "audio:*:29:\n"
			  "dip:*:30:\n"
			  "www-data:*:33:\n"
			  "backup:*:34:\n"
			  "operator:*:37:\n"
			  "list:*:38:\n"
			  "irc:*:39:\n"
			  "src:*:40:\n"
			  "shadow:*:42:\n"
			  "utmp:*:43:\n"
			  "video:*:44:\n"
			  "sasl:*:45:\n"
			  "plugdev:*:46:\n"
			  "staff:*:50:\n"
			  "games:*:60:\n"
			  "sshd:*:74:\n"
			  "sandbox-authkeys:*:75:\n"
			  "users:*:100:\n"
			  "sandbox:*:1000:\n"
			  "nogroup:*:65534:\n";

const struct text_file text_files[] = {
	{ "/etc/group", text_group },
	{ "/etc/nsswitch.conf",
	    "passwd: files\n"
	    "group: files\n"
	    "shadow: files\n"
	    "gshadow: files\n"
	    "hosts: files dns\n"
	    "networks: files\n"
	    "protocols: files\n"
	    "services: files\n"
	    "ethers: files\n"
	    "rpc: files\n" },
	{ NULL, NULL },
};

/* Every line of sshd_config that does not depend on the sandbox. */
static const char sshd_lines[] =
#include "broker/providers/local/sshd_common.inc"
    "UsePAM no\n"
    "PrintMotd no\n"
    "PrintLastLog no\n"
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
		if (!is_plain_path(paths[i]))
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
	if (setup->session != NULL)
		buf_printf(ret, "SshdSessionPath %s\n", setup->session);
	if (setup->auth != NULL)
		buf_printf(ret, "SshdAuthPath %s\n", setup->auth);
	/* The second is for sandbox-shell. */
	if (setup->start_there)
		buf_printf(ret,
		    "SetEnv SANDBOX_WORKSPACE=%s SANDBOX_WORKDIR=%s\n"
		    "Subsystem sftp internal-sftp -d %s\n",
		    setup->workspace, setup->workspace, setup->workspace);
	else
		buf_printf(ret,
		    "SetEnv SANDBOX_WORKSPACE=%s\n"
		    "Subsystem sftp internal-sftp\n",
		    setup->workspace);
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
text_passwd(const char *shell, struct buf *ret)
{
	buf_put_text(ret, accounts);
	buf_printf(ret,
	    INSIDE_USER ":*:1000:1000:" INSIDE_USER ":" INSIDE_HOME ":%s\n",
	    shell);
}

void
text_resolv_conf(const char *resolver, struct buf *ret)
{
	if (*resolver == '\0')
		buf_put_text(ret,
		    "# Nobody to ask: give up at once.\n"
		    "options timeout:1 attempts:1\n");
	else
		buf_printf(ret, "nameserver %s\n", resolver);
}

void
text_hosts(const char *id, struct buf *ret)
{
	buf_printf(ret,
	    "127.0.0.1 localhost\n" LOOPBACK_SELF " %s\n"
	    "::1 localhost ip6-localhost ip6-loopback\n"
	    "ff02::1 ip6-allnodes\n"
	    "ff02::2 ip6-allrouters\n",
	    id);
}
