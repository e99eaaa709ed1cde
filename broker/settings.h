/* SPDX-License-Identifier: ISC */
/*
 * sandboxd.conf and the options that stand above it.
 */
#ifndef SBX_BROKER_SETTINGS_H
#define SBX_BROKER_SETTINGS_H

#include "broker/providers/provider.h"
#include "common/conf.h"
#include "common/opt.h"

/* Ids in the uid range: some for sandboxd's own processes, then sandboxes. */
#define UID_OFFSET_HTTP 0
#define UID_OFFSET_SIGNER 1
#define UID_OFFSET_PROVIDER 2 /* one for each of providers[] */
#define UID_RANGE_MIN 4096

struct uid_range {
	uint64_t start;
	uint64_t count;
};

struct broker_settings {
	/* [broker] */
	char socket[FIELD_TEXT];
	char state_dir[FIELD_TEXT];
	char runtime_dir[FIELD_TEXT];
	/* [ca] */
	char ca_key[FIELD_TEXT];
	char ca_trusted[FIELD_TEXT]; /* "": none */
	bool ca_key_named;	     /* it stands in the file */
	/* [local] */
	int isolation;		    /* enum isolation_wanted */
	struct uid_range uid_range; /* count 0: from /etc/subuid */
	struct local_limits local_limits;
	int start_in; /* enum start_in */
	/* [life] */
	uint64_t auto_stop; /* where none is asked for; 0: never */
	struct daytona_settings daytona;
	struct field_list daytona_allow; /* accounts, through root's broker */
	/* [route]: of which ids a platform is asked */
	struct field_list daytona_route;
	/* [limits] */
	uint64_t max_ttl;
	uint64_t max_lifetime;	/* of a sandbox; 0: no limit */
	uint64_t max_sandboxes; /* of one owner */
	uint64_t connections;
	uint64_t max_events;	/* of one owner */
	uint64_t max_event_age; /* seconds */
	/* not from the file */
	char libexec_dir[PATHS_MAX];
	char sandboxd[PATHS_MAX];
	char credentials_dir[PATHS_MAX]; /* systemd's; "": none */
	char file[PATHS_MAX];		 /* which it is, or would be */
	uid_t own_uid;			 /* who started sandboxd */
	/* Of root's broker, whether or not the machine has one. */
	struct uid_range machine_range;
};

/* Options; "" where not given. */
struct broker_options {
	char config[FIELD_TEXT];
	char socket[FIELD_TEXT];
	char state_dir[FIELD_TEXT];
	char runtime_dir[FIELD_TEXT];
	char make_kit[FIELD_TEXT];
	char openssh[FIELD_TEXT];
	bool daemon;
	bool stop;
};

/* Of a platform: who may use it through root's broker, and for which ids. */
const struct field_list *broker_settings_allow(
    const struct broker_settings *settings, const char *provider) MUST_USE;
const struct field_list *broker_settings_route(
    const struct broker_settings *settings, const char *provider) MUST_USE;

extern const struct conf_table broker_settings_table;
extern const struct opt broker_option_rows[];
extern const size_t broker_option_count;

/*
 * Defaults, then the file (the one that --config names, which must exist;
 * else the user's own, else the system's), then the options.
 */
enum sbx_err broker_settings_read(const struct paths *paths, uid_t uid,
    const struct broker_options *options, struct broker_settings *ret,
    struct sbx_why *why) MUST_USE;

/*
 * What providers need of it; ca_line is the signer's.  Reads ca_trusted, and
 * fails as its parser does (check.h).
 */
enum sbx_err broker_settings_for_providers(
    const struct broker_settings *settings, const char *ca_line,
    struct provider_context *ret, struct sbx_why *why) MUST_USE;

#endif
