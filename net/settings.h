/* SPDX-License-Identifier: ISC */
/*
 * The client's configuration: ~/.config/sandbox-ssh/config over
 * /etc/sandbox-ssh/config over the defaults, then SANDBOX_BROKER and
 * SANDBOX_TOKEN.  What one of them says of a broker counts only as long as
 * none after it names another broker.  Needs no libcurl, so anyone may link it.
 */
#ifndef SBX_NET_SETTINGS_H
#define SBX_NET_SETTINGS_H

#include "common/conf.h"
#include "common/name.h"
#include "common/paths.h"

#define SETTINGS_DOMAINS 16
#define SETTINGS_EXECS 16

/* A broker: [broker], or [domain "SUFFIX"] for the names that end in it. */
struct settings_broker {
	char suffix[FIELD_TEXT];     /* "" in [broker] */
	char url[FIELD_TEXT];	     /* unix:PATH, https://..; "": default */
	char token_file[FIELD_TEXT]; /* "": none */
	char token_command[FIELD_TEXT];
	char ca_file[FIELD_TEXT];    /* "": the system's */
	char trusted_ca[FIELD_TEXT]; /* "": any CA */
	char token[FIELD_TEXT];	     /* from SANDBOX_TOKEN; "" if unset */
};

/* [exec "NAME"]: the user's own ways into sandboxes. */
struct settings_exec {
	char name[FIELD_TEXT];
	char command[FIELD_TEXT]; /* "": none */
};

/* Setting local_kex: the key exchange where there is no network. */
enum local_kex {
	LOCAL_KEX_FAST, /* unless a person or a policy has chosen */
	LOCAL_KEX_DEFAULT,
};

struct settings {
	struct settings_broker broker; /* the one to talk to */
	struct settings_broker domain[SETTINGS_DOMAINS];
	size_t domain_count;
	uint64_t timeout; /* seconds for one request */
	/* [ssh] */
	uint64_t ttl;		     /* seconds; 0: what the broker gives */
	uint64_t wait;		     /* seconds for a start */
	bool wake;		     /* connecting starts what is stopped */
	int local_kex;		     /* enum local_kex */
	char public_key[FIELD_TEXT]; /* "": make keys */
	/* [proxy] */
	char credentials_file[FIELD_TEXT]; /* "": none */
	/* [endpoint] */
	char endpoint_ca_file[FIELD_TEXT]; /* "": that of the broker */
	struct settings_exec exec[SETTINGS_EXECS];
	size_t exec_count;
};

extern const struct conf_table settings_table;

/*
 * config names the one file to read (it must exist) instead of the two usual
 * ones (which need not); NULL for those.  url is checked: unix:/PATH,
 * https://, or http:// to a loopback address.
 */
enum sbx_err settings_read(const struct paths *paths, const char *config,
    struct settings *ret, struct sbx_why *why) MUST_USE;

/* The command of [exec "NAME"]; NULL if there is none. */
const char *
settings_exec(const struct settings *settings, const char *name) MUST_USE;

/* Does host (an IPv6 address with or without brackets) mean this machine? */
bool settings_is_loopback(struct view host) MUST_USE;

/*
 * The domain with the longest suffix that name ends in, or NULL: then it is
 * [broker]'s.
 */
const struct settings_broker *
settings_domain(const struct settings *settings, const char *name) MUST_USE;
/*
 * Which labels of name are the id, which a provider, which the domain's; what
 * is in no domain ends in suffix.  SBX_BAD_NAME if it is of neither form.
 */
enum sbx_err
settings_parse_name(const struct settings *settings, const char *name,
    const char *suffix, struct alias *ret, struct sbx_why *why) MUST_USE;
/* SBX_CONFIG if it lacks what it must have. */
enum sbx_err settings_check_domain(
    const struct settings_broker *domain, struct sbx_why *why) MUST_USE;
/*
 * Make that domain's broker the one to talk to.  Nothing of [broker], of
 * SANDBOX_BROKER and of SANDBOX_TOKEN is left then: a token is for the broker
 * that it was given for.  What settings_check_domain says is passed on.
 */
enum sbx_err settings_choose(
    struct settings *settings, const char *name, struct sbx_why *why) MUST_USE;

/* Is url "unix:"?  Then *ret_path is the path behind it. */
bool settings_unix_path(const char *url, const char **ret_path) MUST_USE;

#endif
