/* SPDX-License-Identifier: ISC */
/*
 * Talking to the broker: where it is, starting one for this user when none
 * is configured, one call, its errors as ours.
 */
#ifndef SBX_NET_CLIENT_H
#define SBX_NET_CLIENT_H

#include <json-c/json.h>

#include "net/http.h"
#include "net/settings.h"

struct client {
	const struct paths *paths;
	struct settings settings;
	bool networked;		/* reached over a network, not a UNIX socket */
	char socket[PATHS_MAX]; /* "" over a network */
	/*
	 * Somebody else starts what listens at socket: it is waited for, and
	 * this is what to do if it does not come; "" otherwise.
	 */
	char absent[SBX_WHY_MAX];
	char other[PATHS_MAX];	/* of two on this machine, the other's socket */
	char place[FIELD_TEXT]; /* in messages: "your broker", or its url */
	char base[FIELD_TEXT];	/* "https://host/prefix" or http://localhost */
	char token[FIELD_TEXT]; /* "" for none; wiped by client_close */
	uint64_t clock;		/* its, at its last answer; 0: it did not say */
	void (*progress)(void *context); /* see http.h; may be NULL */
	void *progress_context;
};

/*
 * The broker of the domain that name (an alias, or "" for [broker]) is in:
 * settings, the token, and its place: the configured url; otherwise
 * this user's socket if something listens there, or this user has had a broker;
 * otherwise the machine's (/run/sandbox-ssh/sandboxd.sock) if it has one.  This
 * user's sandboxd is started if it does not run; the machine's is waited for,
 * and so is root's own where systemd starts it.
 * token_file must be readable by its owner only.
 */
enum sbx_err client_open_for(const struct paths *paths, const char *config,
    const char *name, struct client *ret, struct sbx_why *why) MUST_USE;
/*
 * The same for one whose names end in domain; SBX_CONFIG if that is neither
 * NAME_SUFFIX_DEFAULT nor a domain of the configuration.
 */
enum sbx_err client_open_domain(const struct paths *paths, const char *config,
    const char *domain, struct client *ret, struct sbx_why *why) MUST_USE;
/*
 * The same, and *alias, which may have been parsed without knowing of the
 * domains, is parsed again; what is in no domain ends in suffix.  domain may
 * be NULL; else it is one as above, and SBX_USAGE if the name is in another.
 */
enum sbx_err client_open_alias(const struct paths *paths, const char *config,
    const char *suffix, const char *domain, struct alias *alias,
    struct client *ret, struct sbx_why *why) MUST_USE;
/*
 * SBX_NOT_FOUND if the alias names a provider, and its sandbox is another's:
 * that label may have been meant as a domain.
 */
enum sbx_err client_check_provider(struct client *client,
    const struct alias *alias, struct sbx_why *why) MUST_USE;
/* Which broker that would be, as in place, by the settings alone. */
void client_put_place(const struct paths *paths,
    const struct settings *settings, char ret[static FIELD_TEXT]);
void client_close(struct client *client); /* NULL allowed */

/*
 * One call.  path starts with "/v1/"; body may be NULL; extra is added to
 * the configured timeout (for calls that wait on the broker's side).  An
 * error status is turned into the code that the broker named, its detail in
 * why.  *ret is NULL for an empty answer (204); the caller frees it.
 */
enum sbx_err client_call(struct client *client, const char *method,
    const char *path, struct json_object *body, unsigned extra,
    struct json_object **ret, struct sbx_why *why) MUST_USE;

/*
 * The same for an answer that goes on (http.h): *ret is its first line, *ret
 * and *ret_stream are the caller's to free.
 */
enum sbx_err
client_open_stream(struct client *client, const char *method, const char *path,
    struct json_object *body, unsigned extra, struct json_object **ret,
    struct http_stream **ret_stream, struct sbx_why *why) MUST_USE;

#endif
