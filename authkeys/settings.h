/* SPDX-License-Identifier: ISC */
/*
 * What the gate is told by its administrator: authkeys.conf and the files
 * that it names, read and judged whole.  Whoever can change one of them can
 * let himself in, so all of them must belong to root and be writable by
 * nobody else, as must the folders above them (safepath.h).
 */
#ifndef SBX_AUTHKEYS_SETTINGS_H
#define SBX_AUTHKEYS_SETTINGS_H

#include "certs/check.h"
#include "common/conf.h"
#include "common/name.h"

#define GATE_ID_FILE_MAX 256	/* bytes of a file:PATH that holds the id */
#define GATE_CA_FILE_MAX 65536	/* bytes of the trusted_ca file */
#define GATE_CLOCK_SKEW_MAX 600 /* seconds */

/* Which certificates let in one connection only. */
enum gate_single_use {
	GATE_SINGLE_USE_MARKED, /* those that say so */
	GATE_SINGLE_USE_ALWAYS,
	GATE_SINGLE_USE_NEVER, /* those that say so are refused */
};

struct gate_settings {
	/* As the file says it. */
	char sandbox_id[FIELD_TEXT]; /* an id, or "file:" and a path */
	char trusted_ca[FIELD_TEXT];
	struct field_list login_users;
	uint64_t max_ttl;
	uint64_t clock_skew;
	uint64_t issued_after;
	unsigned permit;
	int single_use;		    /* enum gate_single_use */
	char state_dir[FIELD_TEXT]; /* "": none */
	char then[FIELD_TEXT];	    /* as chain.h reads it; "": none */
	uint64_t then_timeout;
	char revoked[FIELD_TEXT]; /* path of the revocation list; "": none */
	uint64_t revoked_max_age; /* seconds */
	char last_refusal[FIELD_TEXT]; /* path; "": not written */
	/* Read from the files that it names. */
	char id[NAME_ID_MAX + 1];
	struct ca_set trusted;
};

extern const struct conf_table gate_settings_table;

/*
 * Defaults, then the text of one configuration file; nothing it names is
 * opened.  SBX_CONFIG for what it says or leaves out, why naming name.
 */
enum sbx_err gate_settings_parse(const char *name, const char *text,
    struct gate_settings *ret, struct sbx_why *why) MUST_USE;
/*
 * The file at path and those that it names, all of which must belong to root
 * or to owner (FILE_NO_OWNER: root only).  SBX_CONFIG, SBX_UNTRUSTED or
 * SBX_IO, why naming the file at fault.
 */
enum sbx_err gate_settings_read(const char *path, uid_t owner,
    struct gate_settings *ret, struct sbx_why *why) MUST_USE;

#endif
