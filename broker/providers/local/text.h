/* SPDX-License-Identifier: ISC */
/*
 * The files that a local sandbox is made of, as text.
 */
#ifndef SBX_LOCAL_TEXT_H
#define SBX_LOCAL_TEXT_H

#include <sys/stat.h>

#include <sys/types.h>

#include "common/buf.h"

/* What sshd is told. */
struct sshd_setup {
	const char *host_key;	   /* path */
	const char *authkeys;	   /* path of sandbox-authkeys */
	const char *authkeys_conf; /* path of its configuration */
	const char *authkeys_user; /* account that runs it */
	uid_t authkeys_owner;	   /* whose files it trusts, besides root */
	const char *workspace;	   /* path, told in SANDBOX_WORKSPACE */
	const char *session;	   /* SshdSessionPath; NULL: compiled in */
	const char *auth;	   /* SshdAuthPath; the same */
	bool start_there;	   /* sessions start in it, by sandbox-shell */
	bool root_login;
};

/*
 * The sshd_config(5) of a sandbox.  A path that would have to be quoted
 * there is SBX_CONFIG.
 */
enum sbx_err text_sshd_config(const struct sshd_setup *setup, struct buf *ret,
    struct sbx_why *why) MUST_USE;

/* What the gate is told. */
struct gate_setup {
	const char *id;
	const char *ca;	  /* path */
	const char *user; /* who logs in */
	uint64_t issued_after;
	const char *state_dir; /* NULL: none */
	const char *last_refusal;
};

/* The gate's configuration, authkeys.conf(5). */
void text_authkeys_conf(const struct gate_setup *setup, struct buf *ret);

/* /etc/passwd inside; shell: of who logs in. */
void text_passwd(const char *shell, struct buf *ret);

/* /etc/resolv.conf inside; "": there is nobody to ask. */
void text_resolv_conf(const char *resolver, struct buf *ret);

/* /etc/hosts inside. */
void text_hosts(const char *id, struct buf *ret);

/* Files that are the same in every sandbox; ends with path NULL. */
struct text_file {
	const char *path;
	const char *text;
};
extern const struct text_file text_files[];
extern const char text_group[];

#endif
